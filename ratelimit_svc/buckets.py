"""Counts calls in Redis, for all edges together: a token bucket for each `ratelimit:{subject}:{rpc}`."""

from dataclasses import dataclass
from importlib.resources import files

from mesh.redis import DOWN, GuardedRedis
from ratelimit_svc.limits import WINDOW_SECONDS


@dataclass(frozen=True, slots=True)
class Count:
    """What one call found.

    Attributes:
        limit: Calls in a minute.
        left: How many are left; None: it was one too many.
        seconds: Until the next call can be made if it was one too many, else until all can.
    """

    limit: int
    left: int | None
    seconds: float


class Buckets:
    """One for each subject and RPC; gone a minute after its last call. While Redis is down nothing is counted.

    Args:
        redis: Redis.
    """

    def __init__(self, redis: GuardedRedis) -> None:
        self._take = redis.script((files("ratelimit_svc") / "take.lua").read_text("utf-8"))

    async def take(self, subject: str, rpc: str, limit: int) -> Count | None:
        """Takes one call; None while Redis is down.

        Args:
            subject: Who calls, such as "user:0197…" or "address:203.0.113.7/32".
            rpc: What, such as "CreateScan".
            limit: Calls in a minute.
        """
        try:
            left, microseconds = await self._take([f"ratelimit:{subject}:{rpc}"], [limit, WINDOW_SECONDS * 1_000_000])
        except DOWN:
            return None
        return Count(limit, left if left >= 0 else None, microseconds / 1e6)
