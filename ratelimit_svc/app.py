"""Composition root of the rate-limit service.

ShouldRateLimit ─┬ limits (limits.yaml, and what ECO2_LIMITS says otherwise)
                 └ buckets ── Redis
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from eco2.ratelimit.v3.rate_limit_service_pb2_grpc import add_RateLimitServiceServicer_to_server
from mesh.grpc.host import Host
from mesh.grpc.server import Server, Service, serving
from mesh.observability import telemetry
from mesh.observability.stores import tell_breaker
from mesh.redis import open_redis
from ratelimit_svc.buckets import Buckets
from ratelimit_svc.limits import load_limits
from ratelimit_svc.servicer import RateLimitServicer
from ratelimit_svc.settings import RateLimitSettings

NAME = "envoy.service.ratelimit.v3.RateLimitService"

# Longer than the edge waits is of no use.
_REDIS_SECONDS = 0.1


@asynccontextmanager
async def application(settings: RateLimitSettings, host: Host | None = None) -> AsyncIterator[Server]:
    """The service, running until the block is left."""
    async with AsyncExitStack() as stack:
        signals = stack.enter_context(telemetry.started("ratelimit", settings, host.instruments if host else None))
        redis = await stack.enter_async_context(
            open_redis(settings.redis_url.get_secret_value(), timeout=_REDIS_SECONDS)
        )
        tell_breaker(signals.instruments, "ratelimit", "redis", lambda: not redis.breaker.closed)
        servicer = RateLimitServicer(load_limits(settings.limits), Buckets(redis), signals.instruments)
        service = Service(NAME, add_RateLimitServiceServicer_to_server, servicer)
        # Redis isn't among the dependencies: without it every call is let through, and the edge's own limits hold.
        yield await stack.enter_async_context(serving(settings, [service], telemetry=signals, host=host))
