"""Opens Redis at an address, whatever is there."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlencode

from redis.asyncio import ConnectionPool
from redis.asyncio.cluster import ClusterNode, RedisCluster
from redis.asyncio.connection import parse_url
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel, SentinelConnectionPool
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from mesh.redis.cluster import Cluster
from mesh.redis.guarded import GuardedRedis
from mesh.redis.server import Primary, Server
from mesh.redis_address import RedisAddress
from mesh.settings import Misconfigured

# Of the time for an answer, what one Sentinel may take of it: the next one may know.
_SENTINELS_PART = 3


@asynccontextmanager
async def open_redis(url: str, *, timeout: float = 0.5) -> AsyncIterator[GuardedRedis]:
    """A client, closed at exit. Connects when it is first used.

    Args:
        url: As `mesh.settings.RedisUrl` allows it.
        timeout: Seconds for connecting, and for any answer.

    Raises:
        ValueError: It is no address.
        Misconfigured: Its options can't be.
    """
    address = RedisAddress.parse(url)
    try:
        server = _server(address, timeout)
    except (TypeError, ValueError, RedisError):  # their texts show values, which may be secrets
        raise Misconfigured("ECO2_REDIS_URL: redis-py knows no such option, or none with this value") from None
    redis = GuardedRedis(server)
    try:
        yield redis
    finally:
        await redis.aclose()


def _server(address: RedisAddress, timeout: float) -> Server:
    # redis-py's time limit on each write and each read costs a task and a timer; `silence_timeout` holds for both.
    limits: dict[str, Any] = {"socket_connect_timeout": timeout, "socket_timeout": None, "retry": _once()}
    if address.shape == "single":
        single = ConnectionPool.from_url(address.url, **limits)
        # Connects to nothing, and refuses options that can't be.
        single.make_connection()  # type: ignore[no-untyped-call]
        return Primary(single, timeout)
    limits |= {"username": address.user or None, "password": address.password or None, **_options(address)}
    if address.shape == "sentinel":
        return _named_by_sentinels(address, limits, timeout)
    nodes = [ClusterNode(host, port) for host, port in address.nodes]
    return Cluster(RedisCluster(startup_nodes=nodes, ssl=address.tls, **limits), timeout)


def _named_by_sentinels(address: RedisAddress, limits: Mapping[str, Any], timeout: float) -> Primary:
    seconds = timeout / _SENTINELS_PART
    logins: dict[str, str | None] = {"username": None, "password": None}
    if password := address.options.get("sentinel_password", address.password):
        # By name, since a server without passwords refuses the password alone, and takes anything from this one.
        logins = {"username": "default", "password": password}
    sentinel = Sentinel(
        address.nodes,
        sentinel_kwargs={
            **limits,
            **logins,
            "ssl": address.tls,
            "socket_connect_timeout": seconds,
            "socket_timeout": seconds,
            "retry": _once(),
        },
    )  # type: ignore[no-untyped-call]
    pool = SentinelConnectionPool(address.primary, sentinel, ssl=address.tls, **limits)  # type: ignore[no-untyped-call]
    return Primary(pool, timeout, sentinel)


def _options(address: RedisAddress) -> dict[str, Any]:
    """The address' own options, as redis-py reads them of a single server."""
    options = {name: value for name, value in address.options.items() if name != "sentinel_password"}
    read: dict[str, Any] = dict(parse_url(f"redis://redis?{urlencode(options)}"))
    return {name: read[name] for name in read if name in options}


def _once() -> Retry:
    return Retry(NoBackoff(), 0)
