"""Who reads which scans: readers leave a mark in Redis, and workers are told of new ones.

A mark isn't taken away: it runs out a while after the last reading. Should Redis lose it, its reader leaves it again.
"""

import asyncio
import time
from collections.abc import Iterable

from mesh.concurrency.tasks import end
from mesh.redis import DOWN, GuardedRedis
from scan_svc.progress.snapshots import Snapshot, reader_key

# A message names the scans that are read now and weren't before, separated by blanks.
CHANNEL = "scan:read"

_MARK_SECONDS = 60
# How long a mark that was left from here counts as there.
_AGAIN_SECONDS = 30.0
_MOST = 20_000
_BATCH = 256

# KEYS: the marks. ARGV: their time to live, the channel, then the scans' ids.
_MARK = """
local new = {}
for scan, key in ipairs(KEYS) do
  if not redis.call('SET', key, 1, 'EX', ARGV[1], 'GET') then new[#new + 1] = ARGV[scan + 2] end
end
if #new > 0 then redis.call('PUBLISH', ARGV[2], table.concat(new, ' ')) end
"""


class Readers:
    """The marks of those who read scans in this process.

    Args:
        redis: Redis.
    """

    def __init__(self, redis: GuardedRedis) -> None:
        self._breaker = redis.breaker
        self._script = redis.script(_MARK)
        self._left: dict[str, float] = {}  # when, on the monotonic clock; the oldest first
        self._unsent: list[str] = []
        self._sending: asyncio.Task[None] | None = None

    def mark(self, scan: Snapshot) -> None:
        """Somebody reads a scan step by step, and is told of further ones at once; in a moment. Never fails."""
        now = time.monotonic()
        if scan.state.terminal or now - self._left.get(scan.scan_id, -_AGAIN_SECONDS) < _AGAIN_SECONDS:
            return
        self._left.pop(scan.scan_id, None)
        self._left[scan.scan_id] = now
        if len(self._left) > _MOST:
            del self._left[next(iter(self._left))]
        self._unsent.append(scan.scan_id)
        if self._sending is None:
            self._sending = asyncio.create_task(self._drain(), name="readers")

    def forget(self) -> None:
        """Redis may have lost the marks: whoever reads on leaves them anew."""
        self._left.clear()

    async def aclose(self) -> None:
        """Leaves no more."""
        if self._sending:
            await end(self._sending)

    async def _drain(self) -> None:
        try:
            while self._unsent:
                scan_ids, self._unsent = self._unsent[:_BATCH], self._unsent[_BATCH:]
                await self._send(scan_ids)
        finally:
            self._sending = None

    async def _send(self, scan_ids: Iterable[str]) -> None:
        try:
            await self._script([reader_key(scan_id) for scan_id in scan_ids], [_MARK_SECONDS, CHANNEL, *scan_ids])
        except DOWN:
            for scan_id in scan_ids:
                self._left.pop(scan_id, None)
