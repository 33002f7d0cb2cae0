"""A real edge, the rate-limit service it asks, a Redis of their own; behind it a mesh that answers everything."""

import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import httpx2
import pytest
import pytest_asyncio

from ratelimit_svc.app import application
from ratelimit_svc.limits import Changes, load_limits
from ratelimit_svc.settings import RateLimitSettings
from tests.support.edge.envoy import Edge, Limiting, running
from tests.support.edge.fake_mesh import FakeMesh
from tests.support.http import http_client
from tests.support.own_redis import OwnRedis, own_redis
from tests.support.ports import free_port
from tests.support.waiting import eventually

_PATIENCE_SECONDS = 20

# As small as they may be, so that few calls are over them, and the edge asks about all that are shared; an address has
# twice as many as a user.
TIGHT: Changes = {
    name: {
        subject: 120 if name == "any" else 3 * (1 + (subject == "address")) if limit.shared else 60
        for subject, number in (("user", limit.user), ("address", limit.address))
        if number is not None
    }
    for name, limit in load_limits().items()
}


@dataclass(slots=True)
class LimitedEdge:
    """What a test calls, and what it may end.

    Attributes:
        edge: The running Envoy. One load balancer is before it, so each client says its own address.
        redis: Where calls are counted.
        mesh: What is behind the edge.
        admin_port: Where Envoy is administered.
    """

    edge: Edge
    redis: OwnRedis
    mesh: FakeMesh
    admin_port: int
    _start_edge: Callable[[Path], AbstractAsyncContextManager[Edge]]
    _service: AsyncExitStack = field(default_factory=AsyncExitStack)

    async def start_service(self, settings: RateLimitSettings) -> None:
        """Starts the rate-limit service; returns when the edge asks it."""
        await self._service.enter_async_context(application(settings))
        await eventually(lambda: self.asks(self.edge))

    async def end_service(self) -> None:
        """Ends it."""
        await self._service.aclose()

    @asynccontextmanager
    async def another_edge(self, folder: Path) -> AsyncIterator[Edge]:
        """A second Envoy before the same mesh, which asks the same service."""
        async with self._start_edge(folder) as edge:
            await eventually(lambda: self.asks(edge))
            yield edge

    async def asks(self, edge: Edge) -> bool:
        """Whether an edge asks the service already."""
        async with self.client(edge=edge) as client:
            # A limit too small for calls that nobody is asked about.
            return "x-ratelimit-limit" in (await client.post("/v1/me:export", json={})).headers

    def headers(self, user: str = "", address: str = "", edge: Edge | None = None) -> dict[str, str]:
        """A user's own headers, and what the load balancer adds; anybody, from anywhere, unless told."""
        token = (edge or self.edge).issuer.token(sub=user or f"user-{uuid.uuid4().hex}")
        return {"authorization": f"Bearer {token}", "x-forwarded-for": address or anywhere()}

    def client(self, user: str = "", address: str = "", edge: Edge | None = None) -> httpx2.AsyncClient:
        """A REST client of one user at one address."""
        headers = self.headers(user, address, edge)
        return http_client(base_url=(edge or self.edge).url, headers=headers, timeout=20)

    def stranger(self, address: str) -> httpx2.AsyncClient:
        """A REST client without a token."""
        return http_client(base_url=self.edge.url, headers={"x-forwarded-for": address}, timeout=20)


def anywhere() -> str:
    """An address that nobody has called from."""
    number = uuid.uuid4().int
    return f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"


@asynccontextmanager
async def limited_edge(folder: Path, changes: Changes, *, patient: bool) -> AsyncIterator[LimitedEdge]:
    """All of it, running until the block is left.

    Args:
        folder: Where its files go.
        changes: What differs from the table.
        patient: Whether the edge waits for the service, and that for Redis, however slow this machine is; else a call
            goes through uncounted.
    """
    port, service_port, admin_ports = free_port(), free_port(), list[int]()
    settings: Any = {"limits": changes, "listen": f"127.0.0.1:{service_port}", "drain_seconds": 0}

    def change(configuration: dict[str, Any]) -> None:
        admin_ports.append(configuration["admin"]["address"]["socket_address"]["port_value"])
        (cluster,) = (one for one in configuration["static_resources"]["clusters"] if one["name"] == "ratelimit")
        for interval in ("interval", "no_traffic_interval", "unhealthy_interval"):
            cluster["health_checks"][0][interval] = "0.1s"
        if patient:
            (chain,) = configuration["static_resources"]["listeners"][0]["filter_chains"]
            filters = chain["filters"][0]["typed_config"]["http_filters"]
            (shared,) = (one for one in filters if one["name"] == "shared-limits")
            shared["typed_config"]["extension_config"]["typed_config"]["timeout"] = f"{_PATIENCE_SECONDS}s"

    def start_edge(folder: Path) -> AbstractAsyncContextManager[Edge]:
        return running(folder, port, change, limiting=Limiting(service_port, changes, trusted_hops=1))

    mesh = FakeMesh()
    with pytest.MonkeyPatch.context() as waiting:
        if patient:
            waiting.setattr("ratelimit_svc.app._REDIS_SECONDS", float(_PATIENCE_SECONDS))
        async with (
            own_redis(folder) as redis,
            start_edge(folder) as edge,
            mesh.serving(port),
        ):
            limited = LimitedEdge(edge, redis, mesh, admin_ports[0], start_edge)
            try:
                await limited.start_service(RateLimitSettings(redis_url=redis.url, **settings))
                yield limited
            finally:
                await limited.end_service()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def limited(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[LimitedEdge]:
    """Shared by a module's tests: each has users and addresses of its own."""
    async with limited_edge(tmp_path_factory.mktemp("limited"), TIGHT, patient=True) as edge:
        yield edge


@pytest_asyncio.fixture(loop_scope="module")
async def channel(limited: LimitedEdge) -> AsyncIterator[grpc.aio.Channel]:
    """A gRPC channel to the edge; calls bring their own headers."""
    async with grpc.aio.insecure_channel(limited.edge.target) as channel:
        yield channel
