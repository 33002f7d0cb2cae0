"""One gRPC server and what stands behind it: all services of a process, on one port.

It starts once its services are there. They drain together, since a caller has to leave the process, not a service; then
each is closed by itself, in the reverse order, so that one which still works finds those it calls.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

import grpc
import structlog
from grpc_health.v1 import health_pb2_grpc

from mesh.concurrency.tasks import end
from mesh.grpc.certificates import CertificateFiles
from mesh.grpc.handler import GrpcHandler
from mesh.grpc.health import CERTIFICATES, Health, Probe
from mesh.grpc.inprocess.channel import InProcessChannel
from mesh.grpc.inprocess.endpoint import Endpoint
from mesh.grpc.limits import MOST_REQUEST_BYTES, MOST_RESPONSE_BYTES
from mesh.grpc.reflection import Reflection
from mesh.observability.instruments import Instruments
from mesh.process.metrics import process_metrics
from mesh.settings import Misconfigured, ServiceSettings

_log = structlog.get_logger("server")

Drain: TypeAlias = Callable[[], None]

_OPTIONS: Sequence[tuple[str, Any]] = (
    ("grpc.so_reuseport", 0),  # a second server on the same port must fail, not share it in silence
    ("grpc.max_receive_message_length", MOST_REQUEST_BYTES),
    ("grpc.max_send_message_length", MOST_RESPONSE_BYTES),
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


@dataclass(frozen=True, slots=True)
class Part:
    """What one application adds to its process.

    Attributes:
        names: Full names of its services.
        handler: Their methods.
        dependencies: Probes by name. While one raises, the services are NOT_SERVING.
        drains: Called between NOT_SERVING and the stop: tell watchers to reconnect, a worker to leave.
    """

    names: Sequence[str]
    handler: GrpcHandler
    dependencies: Mapping[str, Probe]
    drains: Sequence[Drain]


class Host:
    """The server of a process. Use `hosting`, which also stops it.

    Args:
        settings: Where to listen, how long to wait.
        instruments: What the process counts with.

    Attributes:
        instruments: As above.
        port: The bound port.
        health_port: The one that health alone is served on; None: there is none.

    Raises:
        Misconfigured: The address is taken, or the certificates can't be used.
    """

    health_port: int | None = None

    def __init__(self, settings: ServiceSettings, instruments: Instruments) -> None:
        self._settings = settings
        self.instruments = instruments
        self._server = grpc.aio.server(options=_OPTIONS)
        self._certificates = CertificateFiles(settings.tls) if settings.tls else None
        credentials = self._certificates.server_credentials() if self._certificates else None
        self.port = _bound(self._server, "ECO2_LISTEN", settings.listen, credentials)
        self._health = Health()
        # A server of its own: without a certificate there is nothing but health.
        self._health_server = grpc.aio.server(options=_OPTIONS) if settings.health_listen else None
        if self._health_server:
            self.health_port = _bound(self._health_server, "ECO2_HEALTH_LISTEN", settings.health_listen)
        self._parts: list[Part] = []
        self._endpoints: dict[str, Endpoint] = {}
        self._started = self._drained = False
        self._probing: asyncio.Task[None] | None = None

    def channel(self, caller: str, service: str, retried: Collection[str], pauses: Sequence[float]) -> InProcessChannel:
        """A channel to a service of this process, which may join later.

        Args:
            caller: Who calls.
            service: Its full name.
            retried: Full names of methods that are tried again on UNAVAILABLE.
            pauses: Seconds before each further try.
        """
        return InProcessChannel(caller, self._endpoint(service), retried, pauses)

    @asynccontextmanager
    async def joined(self, part: Part) -> AsyncIterator[None]:
        """Serves an application's services until the block is left, which drains the whole process."""
        self._parts.append(part)
        self._server.add_generic_rpc_handlers((part.handler,))
        endpoints = [self._endpoint(name) for name in part.names]
        for endpoint in endpoints:
            endpoint.open(part.handler)

        def tell(serving: bool) -> None:
            for endpoint in endpoints:
                endpoint.tell(serving=serving)

        dependencies = dict(part.dependencies)
        if self._certificates:
            dependencies["certificate"] = self._certificates.demand_good
        boundary, grace = part.handler.boundary, self._settings.grace_seconds
        up: dict[str, bool] = {}
        boundary.metrics.dependencies(up)
        probing = asyncio.create_task(self._health.keep(part.names, dependencies, tell, up), name="health")
        try:
            yield
        finally:
            await self._drain()
            await end(probing)
            await boundary.idle(grace)
            boundary.cutting = True
            for endpoint in endpoints:
                endpoint.close()
            await boundary.idle(grace)

    async def start(self) -> None:
        """Serves from now on: everything has joined."""
        rest: Any = _Unwrapped()
        health_pb2_grpc.add_HealthServicer_to_server(self._health.servicer, rest)
        names = [name for part in self._parts for name in part.names]
        Reflection(names).add_to(rest)
        self._server.add_generic_rpc_handlers((rest,))
        await self._server.start()
        self._started = True
        if self._health_server:
            health_pb2_grpc.add_HealthServicer_to_server(self._health.servicer, self._health_server)
            await self._health_server.start()
        if self._certificates:
            keeping = self._health.keep([CERTIFICATES], {"files": self._certificates.demand_readable}, apart=True)
            self._probing = asyncio.create_task(keeping, name="certificates")
        _log.info("serving", listen=self._settings.listen, port=self.port, services=names)

    async def stop(self) -> None:
        """Stops at once what hasn't drained."""
        await self._server.stop(None)
        if self._health_server:
            await self._health_server.stop(None)
        if self._probing:
            await end(self._probing)

    async def _drain(self) -> None:
        """Sends callers from outside away: in order, and once for all services."""
        if self._drained:
            return
        self._drained = True
        # No new calls, watchers sent away, a moment for clients to notice, then the grace.
        await self._health.shut_down()
        for part in self._parts:
            for drain in part.drains:
                drain()
        if self._started:
            await asyncio.sleep(self._settings.drain_seconds)
            # First, so that it is known before the server's own timer ends what is still at work.
            cutting = asyncio.get_running_loop().call_later(self._settings.grace_seconds, self._cut)
            await self._server.stop(self._settings.grace_seconds)
            cutting.cancel()
            _log.info("stopped")

    def _cut(self) -> None:
        """Tells the calls at work why they end now."""
        for part in self._parts:
            part.handler.boundary.cutting = True

    def _endpoint(self, service: str) -> Endpoint:
        return self._endpoints.setdefault(service, Endpoint())


def _bound(
    server: grpc.aio.Server, setting: str, address: str, credentials: grpc.ServerCredentials | None = None
) -> int:
    """Binds a server to an address; gives the port.

    Raises:
        Misconfigured: It can't.
    """
    try:
        return server.add_secure_port(address, credentials) if credentials else server.add_insecure_port(address)
    except RuntimeError as error:  # the port is taken, or the address isn't this machine's
        raise Misconfigured(f"{setting}: can't listen on {address}") from error


class _Unwrapped(grpc.GenericRpcHandler):
    """Methods that aren't ours: health and reflection, as their libraries made them."""

    def __init__(self) -> None:
        self._methods: dict[str, Any] = {}

    def add_registered_method_handlers(self, service: str, handlers: Mapping[str, Any]) -> None:
        """Called by generated code: the methods of one service."""
        self._methods.update({f"/{service}/{name}": handler for name, handler in handlers.items()})

    def add_generic_rpc_handlers(self, handlers: Sequence[grpc.GenericRpcHandler]) -> None:
        """Called by generated code too: the same methods once more."""

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Any:
        """Called by gRPC for each call: what handles it; None if there is no such method."""
        return self._methods.get(handler_call_details.method)


@asynccontextmanager
async def hosting(settings: ServiceSettings, instruments: Instruments | None = None) -> AsyncIterator[Host]:
    """A server that isn't started yet, stopped when the block is left.

    Args:
        settings: Where to listen, how long to wait.
        instruments: What the process counts with; None: it doesn't.

    Raises:
        Misconfigured: The address is taken.
    """
    instruments = instruments or Instruments.off()
    host = Host(settings, instruments)
    try:
        with process_metrics(instruments):
            yield host
    finally:
        await host.stop()
