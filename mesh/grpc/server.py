"""Build, run and drain one gRPC server."""

import asyncio
import contextlib
import gc
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, TypeVar

import grpc
import structlog
import uvloop
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1.health import aio as health_aio
from grpc_reflection.v1alpha import reflection, reflection_pb2_grpc

from mesh import memory
from mesh.grpc.handler import CallLimit, GrpcHandler
from mesh.observability.telemetry import Telemetry
from mesh.settings import Misconfigured, ServiceSettings, end_misused, load
from mesh.tasks import end

_log = structlog.get_logger("server")

_OPTIONS: Sequence[tuple[str, Any]] = (
    ("grpc.so_reuseport", 0),  # a second server on the same port must fail, not share it in silence
    ("grpc.max_receive_message_length", 1 << 20),
    ("grpc.max_send_message_length", 4 << 20),
    # Over the soft limit gRPC refuses at random. The edge passes 16 KiB; gRPC counts 32 bytes more a header.
    ("grpc.max_metadata_size", 32 << 10),
    ("grpc.absolute_max_metadata_size", 64 << 10),
    # Python clients re-resolve DNS only on disconnect: without an age, new replicas get no traffic.
    ("grpc.max_connection_age_ms", 15 * 60 * 1000),
    ("grpc.max_connection_age_grace_ms", 60 * 1000),
    # Watchers reconnect in storms; gRPC's own limit would cancel some of them at random.
    ("grpc.server.max_pending_requests", 10_000),
    ("grpc.server.max_pending_requests_hard_limit", 20_000),
    # Envoy's keepalive pings on idle watch streams are welcome.
    ("grpc.http2.min_ping_interval_without_data_ms", 5000),
    ("grpc.keepalive_permit_without_calls", 1),
)

_PROBE_SECONDS = 2.0
_GC_THRESHOLD = 20_000
# Health name that is SERVING as long as the process answers at all: restarting it wouldn't bring a store back.
LIVENESS = "liveness"

Probe = Callable[[], Awaitable[object]]
Drain = Callable[[], None]
S = TypeVar("S", bound=ServiceSettings)


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
) -> AsyncIterator[Server]:
    """Serves until the block is left, then drains in order.

    Args:
        settings: Where to listen, how long to wait.
        services: What to serve; health and reflection come with it.
        telemetry: Where spans and durations go.
        dependencies: Probes by name. While one raises, health is NOT_SERVING.
        drains: Called between NOT_SERVING and the stop: tell watchers to reconnect, a worker to leave.
        calls: How many unary calls may be at work at once; the settings' limit if None.

    Raises:
        RuntimeError: The address is taken.
    """
    boundary = GrpcHandler(telemetry, calls or CallLimit(settings.call_limit))
    methods: Any = boundary  # all that generated code asks of a server
    for service in services:
        service.add(service.servicer, methods)
    names = [service.name for service in services]
    health = health_aio.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(health, methods)
    shown = [*names, health_pb2.DESCRIPTOR.services_by_name["Health"].full_name, reflection.SERVICE_NAME]
    add_reflection: Any = reflection_pb2_grpc.add_ServerReflectionServicer_to_server
    add_reflection(reflection.aio.ReflectionServicer(shown), methods)
    server = grpc.aio.server(handlers=[boundary], options=_OPTIONS)
    try:
        port = server.add_insecure_port(settings.listen)
    except RuntimeError as error:  # the port is taken, or the address isn't this machine's
        raise Misconfigured(f"ECO2_LISTEN: can't listen on {settings.listen}") from error
    await server.start()
    probing = asyncio.create_task(_tell_health(health, ["", *names], dependencies), name="health")
    _log.info("serving", listen=settings.listen, port=port)
    try:
        yield Server(port)
    finally:
        await end(probing)
        # Order matters: no new calls, watchers sent away, a moment for clients to notice, then the grace.
        await health.enter_graceful_shutdown()
        for drain in drains:
            drain()
        await asyncio.sleep(settings.drain_seconds)
        await server.stop(settings.grace_seconds)
        await boundary.idle(settings.grace_seconds)
        _log.info("stopped")


async def _tell_health(health: health_aio.HealthServicer, names: Sequence[str], probes: Mapping[str, Probe]) -> None:
    """Keeps health true: NOT_SERVING while a dependency doesn't answer."""
    last: int | None = None
    await health.set(LIVENESS, health_pb2.HealthCheckResponse.SERVING)
    while True:
        failed = [name for name, probe in probes.items() if not await _answers(probe)]
        now = health_pb2.HealthCheckResponse.NOT_SERVING if failed else health_pb2.HealthCheckResponse.SERVING
        if now != last:
            for name in names:
                await health.set(name, now)
            if failed or last is not None:
                _log.warning(
                    "health changed", status=health_pb2.HealthCheckResponse.ServingStatus.Name(now), failed=failed
                )
            last = now
        await asyncio.sleep(_PROBE_SECONDS)


async def _answers(probe: Probe) -> bool:
    try:
        async with asyncio.timeout(_PROBE_SECONDS):
            await probe()
    except Exception as error:  # a probe may fail in any way its client knows
        _log.debug("probe failed", error=repr(error))
        return False
    return True


def main(settings_type: type[S], application: Callable[[S], AbstractAsyncContextManager[Server]]) -> None:
    """Runs a service until SIGTERM or SIGINT; what each `__main__.py` calls.

    Raises:
        SystemExit: With status 2 and a line on standard error, if its settings can't be used.
    """
    settings = load(settings_type)

    async def run() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for signum in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(signum, stop.set)
        async with application(settings):
            # What was built at start stays: the collector needn't look at it, nor run after every 700 objects.
            memory.give_back()
            gc.freeze()
            gc.set_threshold(_GC_THRESHOLD, 20, 50)
            await stop.wait()

    try:
        with contextlib.suppress(KeyboardInterrupt):
            uvloop.run(run())
    except Misconfigured as error:
        end_misused(str(error))
