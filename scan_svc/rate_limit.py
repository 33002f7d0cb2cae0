"""How often one user may call an RPC, counted in Redis for all processes together."""

import itertools
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from mesh.batches import Batches
from mesh.errors import ResourceExhausted
from mesh.reasons import Reason
from mesh.redis import DOWN, GuardedRedis

_WINDOW_SECONDS = 60

# Counts each key up; a window begins with its first call. Answers the counts.
# KEYS: counters. ARGV: seconds, then how much to add to each.
_COUNT = """
local counts = {}
for key = 1, #KEYS do
  counts[key] = redis.call('INCRBY', KEYS[key], ARGV[key + 1])
  if counts[key] == tonumber(ARGV[key + 1]) then redis.call('EXPIRE', KEYS[key], ARGV[1]) end
end
return counts
"""

# A call: whose it is, and a number that tells it apart from the same user's others.
_Call = tuple[str, int]


class RateLimit:
    """So many calls of one RPC by one user in a minute. While Redis is away nobody is counted.

    Args:
        redis: Redis.
        rpc: Name of the RPC.
        most: Calls in a minute.
    """

    def __init__(self, redis: GuardedRedis, rpc: str, most: int) -> None:
        self._redis = redis
        self._rpc = rpc
        self._most = most
        self._script = redis.script(_COUNT)
        self._serial = itertools.count()
        self._counts: Batches[_Call, int] = Batches(self._count)

    async def spend(self, user: str) -> None:
        """Counts one call.

        Raises:
            ResourceExhausted: It was one too many.
        """
        try:
            count = await self._counts.get((user, next(self._serial)))
        except DOWN:
            return
        if count is not None and count > self._most:
            raise ResourceExhausted(
                Reason.RATE_LIMIT,
                rpc=self._rpc,
                most=self._most,
                window_seconds=_WINDOW_SECONDS,
                retry_after=_WINDOW_SECONDS * random.uniform(0.5, 1.0),
            )

    async def _count(self, calls: Sequence[_Call]) -> Mapping[_Call, int]:
        users = Counter(user for user, _ in calls)
        keys = [f"ratelimit:{user}:{self._rpc}" for user in users]
        totals: Any = await self._script(keys, [_WINDOW_SECONDS, *users.values()])
        # Of one user's calls in a batch each has a count of its own.
        seen = dict(zip(users, (total - users[user] for user, total in zip(users, totals, strict=True)), strict=True))
        counts = {}
        for call in calls:
            seen[call[0]] += 1
            counts[call] = seen[call[0]]
        return counts
