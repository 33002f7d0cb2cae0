"""RateLimitService: whether a request goes through. Envoy asks before it passes one on."""

from collections.abc import Mapping
from typing import Any

from eco2.ratelimit.v3 import rate_limit_service_pb2 as pb
from eco2.ratelimit.v3.rate_limit_service_pb2_grpc import RateLimitServiceServicer
from mesh.observability.instruments import Instruments
from ratelimit_svc import wire
from ratelimit_svc.buckets import Buckets, Count
from ratelimit_svc.limits import Limit
from ratelimit_svc.metrics import Decisions


class RateLimitServicer(RateLimitServiceServicer):
    """The service that counts calls.

    Args:
        limits: The table, by the rows' names.
        buckets: Where calls are counted.
        instruments: Tell what was decided.
    """

    def __init__(self, limits: Mapping[str, Limit], buckets: Buckets, instruments: Instruments) -> None:
        self._limits = {rpc: limit for limit in limits.values() for rpc in limit.rpcs}
        self._buckets = buckets
        self._decisions = Decisions(instruments, self._limits)

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
        count = await self._buckets.take(f"{call.kind}:{call.subject}", call.rpc.rpartition("/")[2], most)
        outcome = "uncounted" if count is None else "refused" if count.left is None else "allowed"
        self._decisions.made(call.rpc, outcome)
        return count
