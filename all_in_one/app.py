"""How services share a process.

    Host ── one port, one health, one drain
      ├─ RateLimit
      ├─ Character
      ├─ Rules
      ├─ Vision ── Rules
      ├─ Scan ──── Vision, Rules, Character
      └─ Auth ──── Scan, Rules, Character

Each is built by its own `app.py`, and calls those beside it in the process; the others by their addresses. They start
in this order and end in the reverse: Scan's worker finishes its stages while those it calls are still there.
"""

import functools
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from types import MappingProxyType
from typing import Any, TypeAlias

import auth_svc.app
import character_svc.app
import ratelimit_svc.app
import rules_svc.app
import scan_svc.app
import vision_svc.app
from all_in_one.settings import ProcessSettings
from auth_svc.settings import AuthSettings
from character_svc.settings import CharacterSettings
from mesh.grpc.client import IN_PROCESS
from mesh.grpc.host import hosting
from mesh.grpc.server import Server
from mesh.observability.metering import metering
from mesh.settings import ServiceSettings, load_all
from ratelimit_svc.settings import RateLimitSettings
from rules_svc.settings import RulesSettings
from scan_svc.settings import ScanSettings
from vision_svc.settings import VisionSettings

Application: TypeAlias = Callable[..., AbstractAsyncContextManager[Server]]

_SETTINGS: Mapping[str, type[ServiceSettings]] = MappingProxyType(
    {
        "ratelimit": RateLimitSettings,
        "character": CharacterSettings,
        "rules": RulesSettings,
        "vision": VisionSettings,
        "scan": ScanSettings,
        "auth": AuthSettings,
    }
)
_APPLICATIONS: Mapping[str, Application] = MappingProxyType(
    {
        "ratelimit": ratelimit_svc.app.application,
        "character": character_svc.app.application,
        "rules": rules_svc.app.application,
        "vision": vision_svc.app.application,
        "scan": scan_svc.app.application,
        "auth": auth_svc.app.application,
    }
)


def load_settings(process: ProcessSettings) -> Mapping[str, ServiceSettings]:
    """Each service's settings, from the environment; ends the process as `load` does.

    A peer that is in this process is called here, whatever address the environment gives for it.
    """
    here: dict[str, Any] = {f"{name}_target": IN_PROCESS for name in process.services}
    makers = [functools.partial(_SETTINGS[name], **here) for name in process.services]
    return dict(zip(process.services, load_all(makers), strict=True))


@asynccontextmanager
async def application(process: ProcessSettings, settings: Mapping[str, ServiceSettings]) -> AsyncIterator[Server]:
    """The services, running until the block is left.

    Args:
        process: Where to listen, how long to wait.
        settings: Of each service, by its name, in the order they start.
    """
    async with AsyncExitStack() as services:
        instruments = services.enter_context(metering("eco2", process.metrics_address))
        host = await services.enter_async_context(hosting(process, instruments))
        for name, own in settings.items():
            await services.enter_async_context(_APPLICATIONS[name](own, host))
        await host.start()
        yield Server(host.port)
