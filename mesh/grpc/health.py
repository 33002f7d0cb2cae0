"""The health of a server, by its services: what Envoy, Kubernetes and callers in the same process ask."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TypeAlias

import structlog
from grpc_health.v1 import health_pb2
from grpc_health.v1.health import aio as health_aio

_log = structlog.get_logger("health")

Probe: TypeAlias = Callable[[], Awaitable[object]]

_PROBE_SECONDS = 2.0
_Status = health_pb2.HealthCheckResponse
# Health name that is SERVING as long as the process answers at all: restarting it wouldn't bring a store back.
LIVENESS = "liveness"
# Health name that is NOT_SERVING while the certificates' files can't be used or should have been renewed, however good
# the certificate in use still is.
CERTIFICATES = "certificates"
_WHOLE = ""


class Health:
    """What a server says. By the empty name it is SERVING while all its services are.

    Attributes:
        servicer: Answers `grpc.health.v1.Health`.
    """

    def __init__(self) -> None:
        self.servicer = health_aio.HealthServicer()
        self._states: dict[object, bool] = {}

    async def keep(
        self,
        names: Sequence[str],
        probes: Mapping[str, Probe],
        told: Callable[[bool], None] = lambda _: None,
        up: dict[str, bool] | None = None,
        *,
        apart: bool = False,
    ) -> None:
        """Keeps the health of what shares its dependencies true, until it is cancelled.

        Args:
            names: The services.
            probes: By the name of what they depend on. While one raises, the services are NOT_SERVING.
            told: Called with each change: whether they are SERVING.
            up: Gets what each probe said last.
            apart: Whether they say nothing of the server as a whole.
        """
        await self._set(LIVENESS, True)
        key, last = object(), None
        while True:
            answers = {name: await _answers(probe) for name, probe in probes.items()}
            if up is not None:
                up.update(answers)
            failed = [name for name, answered in answers.items() if not answered]
            serving = not failed
            if serving is not last:
                if not apart:
                    self._states[key] = serving
                told(serving)
                for name in names:
                    await self._set(name, serving)
                await self._set(_WHOLE, all(self._states.values()))
                if failed or last is not None:
                    _log.warning("health changed", services=names, serving=serving, failed=failed)
                last = serving
            await asyncio.sleep(_PROBE_SECONDS)

    async def shut_down(self) -> None:
        """Says NOT_SERVING from now on, whatever is kept."""
        await self.servicer.enter_graceful_shutdown()

    async def _set(self, name: str, serving: bool) -> None:
        await self.servicer.set(name, _Status.SERVING if serving else _Status.NOT_SERVING)


async def _answers(probe: Probe) -> bool:
    try:
        async with asyncio.timeout(_PROBE_SECONDS):
            await probe()
    except Exception as error:  # a probe may fail in any way its client knows
        _log.debug("probe failed", error=repr(error))
        return False
    return True
