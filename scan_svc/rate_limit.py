"""How often one user may call an RPC, counted in Redis for all processes together."""

import random

from mesh.errors import ResourceExhausted
from mesh.reasons import Reason
from mesh.redis import DOWN, GuardedRedis

_WINDOW_SECONDS = 60

# Counts a call; a window begins with its first one. Answers the count.
# KEYS: the counter. ARGV: seconds.
_COUNT = """
local count = redis.call('INCR', KEYS[1])
if count == 1 then redis.call('EXPIRE', KEYS[1], ARGV[1]) end
return count
"""


class RateLimit:
    """So many calls of one RPC by one user in a minute. While Redis is down nobody is counted.

    Args:
        redis: Redis.
        rpc: Name of the RPC.
        most: Calls in a minute.
    """

    def __init__(self, redis: GuardedRedis, rpc: str, most: int) -> None:
        self._rpc = rpc
        self._most = most
        self._count = redis.script(_COUNT)

    async def spend(self, user: str) -> None:
        """Counts one call.

        Raises:
            ResourceExhausted: It was one too many.
        """
        try:
            count: int = await self._count([f"ratelimit:{user}:{self._rpc}"], [_WINDOW_SECONDS])
        except DOWN:
            return
        if count > self._most:
            raise ResourceExhausted(
                Reason.RATE_LIMIT,
                rpc=self._rpc,
                most=self._most,
                window_seconds=_WINDOW_SECONDS,
                retry_after=_WINDOW_SECONDS * random.uniform(0.5, 1.0),
            )
