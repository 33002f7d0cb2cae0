"""RateLimitService: whether a request goes through. Envoy asks before it passes one on."""

from collections.abc import Mapping
from typing import Any

from eco2.ratelimit.v3 import rate_limit_service_pb2 as pb
from eco2.ratelimit.v3.rate_limit_service_pb2_grpc import RateLimitServiceServicer
from ratelimit_svc import wire
from ratelimit_svc.buckets import Buckets, Count
from ratelimit_svc.limits import Limit


class RateLimitServicer(RateLimitServiceServicer):
    """The service that counts calls.

    Args:
        limits: The table, by the rows' names.
        buckets: Where calls are counted.
    """

    def __init__(self, limits: Mapping[str, Limit], buckets: Buckets) -> None:
        self._limits = {rpc: limit for limit in limits.values() for rpc in limit.rpcs}
        self._buckets = buckets

    async def ShouldRateLimit(self, request: pb.RateLimitRequest, context: Any) -> pb.RateLimitResponse:
        """Counts the call of each descriptor, in their order, up to the first that is over its limit.

        One after the other: a user who calls too often must not use up what is left to their neighbours at the address.
        """
        counts: list[tuple[wire.Call, Count] | None] = []
        for call in wire.to_calls(request):
            count = await self._count(call) if call else None
            counts.append((call, count) if call and count else None)
            if count and count.left is None:
                break
        return wire.from_counts(counts)

    async def _count(self, call: wire.Call) -> Count | None:
        limit = self._limits.get(call.rpc)
        most = limit and (limit.user if call.kind == "user" else limit.address)
        if not most:
            return None
        return await self._buckets.take(f"{call.kind}:{call.subject}", call.rpc.rpartition("/")[2], most)
