"""Serve an application's services: alone, or on the server of a process that serves others too."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from mesh.grpc.boundary import Boundary
from mesh.grpc.handler import GrpcHandler
from mesh.grpc.health import Probe
from mesh.grpc.host import Drain, Host, Part, hosting
from mesh.grpc.limits import CallLimit
from mesh.observability.telemetry import Telemetry
from mesh.settings import ServiceSettings


@dataclass(frozen=True, slots=True)
class Service:
    """One gRPC service to serve.

    Attributes:
        name: Full name, such as "eco2.vision.v1.VisionService".
        add: The generated `add_…_to_server`; the boundary stands for the server.
        servicer: What answers.
    """

    name: str
    add: Callable[[Any, Any], None]
    servicer: object


@dataclass(frozen=True, slots=True)
class Server:
    """A running server.

    Attributes:
        port: The bound port.
    """

    port: int


@asynccontextmanager
async def serving(
    settings: ServiceSettings,
    services: Sequence[Service],
    *,
    telemetry: Telemetry,
    dependencies: Mapping[str, Probe] = MappingProxyType({}),
    drains: Sequence[Drain] = (),
    calls: CallLimit | None = None,
    host: Host | None = None,
) -> AsyncIterator[Server]:
    """Serves until the block is left, then drains in order.

    Args:
        settings: Where to listen, how long to wait.
        services: What to serve; health and reflection come with it.
        telemetry: Where spans and durations go.
        dependencies: Probes by name. While one raises, health is NOT_SERVING.
        drains: Called between NOT_SERVING and the stop: tell watchers to reconnect, a worker to leave.
        calls: How many unary calls may be at work at once; the settings' limit if None.
        host: The server of a process with several applications, started once all have joined; None: one of its own.

    Raises:
        Misconfigured: The address is taken.
    """
    handler = GrpcHandler(Boundary(telemetry, calls or CallLimit(settings.call_limit)))
    methods: Any = handler  # all that generated code asks of a server
    for service in services:
        service.add(service.servicer, methods)
    part = Part([service.name for service in services], handler, dependencies, drains)
    async with AsyncExitStack() as held:
        shared = host if host is not None else await held.enter_async_context(hosting(settings, telemetry.instruments))
        await held.enter_async_context(shared.joined(part))
        if host is None:
            await shared.start()
        yield Server(shared.port)
