"""The latest state of each scan in Redis, and how readers get at it.

Redis holds versioned snapshots and wakes watchers up; PostgreSQL is the truth. Redis may stall, restart empty or be
gone: publishing never fails a scan, and readers fall back.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable

import msgspec
import redis.exceptions
import structlog
from redis.asyncio import Redis

from mesh.redis import answer
from scan_svc.scans import Scan

_log = structlog.get_logger("progress")

CHANNEL = "scan:changed"

_SNAPSHOT_SECONDS = 3600
_RESULT_SECONDS = 86_400
# A snapshot of an unfinished scan that is older than this is checked against PostgreSQL: its successor may have been
# lost with the process that wanted to publish it.
_TRUSTED_SECONDS = 30.0
_BREAK_SECONDS = 1.0
_PENDING_LIMIT = 10_000

# Compare, write, expire and wake in one step, so that shuffled updates never go backwards.
# KEYS: snapshot, result. ARGV: version, body, written at, snapshot ttl, result ttl (0 unless terminal), channel, id.
_PUBLISH = """
local held = redis.call('HGET', KEYS[1], 'version')
if held and tonumber(held) > tonumber(ARGV[1]) then return 0 end
redis.call('HSET', KEYS[1], 'version', ARGV[1], 'body', ARGV[2], 'at', ARGV[3])
redis.call('EXPIRE', KEYS[1], ARGV[4])
if ARGV[5] ~= '0' then redis.call('SET', KEYS[2], ARGV[2], 'EX', ARGV[5]) else redis.call('DEL', KEYS[2]) end
if held ~= ARGV[1] then redis.call('PUBLISH', ARGV[6], ARGV[7]) end
return 1
"""
_DOWN = (redis.exceptions.RedisError, OSError, TimeoutError)
# Outranks every version: a snapshot that arrives after the deletion must not bring the scan back.
_DELETED_VERSION = 2**31 - 1


def _keys(scan_id: str) -> tuple[str, str]:
    return f"job:{scan_id}:progress", f"job:{scan_id}:result"


class Snapshots:
    """The snapshots in Redis.

    Args:
        client: Redis.
        clock: Seconds since the epoch.
    """

    def __init__(self, client: Redis, clock: Callable[[], float] = time.time) -> None:
        self._redis = client
        self._clock = clock
        self._script = client.register_script(_PUBLISH)
        self._pending: dict[str, Scan] = {}
        self._down_until = 0.0

    async def publish(self, scan: Scan) -> None:
        """Makes a scan's newest state known. Never raises; what couldn't be published is by `flush`, later."""
        published = await self._try(scan)
        earlier = self._pending.get(scan.scan_id)
        if earlier and earlier.version > scan.version:
            return  # a newer one waits already
        if not published and len(self._pending) < _PENDING_LIMIT:
            self._pending[scan.scan_id] = scan
        elif published and earlier:
            del self._pending[scan.scan_id]

    async def flush(self) -> None:
        """Publishes for ever what couldn't be when it happened."""
        while True:
            await asyncio.sleep(_BREAK_SECONDS)
            for scan_id, scan in list(self._pending.items()):
                if not await self._try(scan):
                    break
                if self._pending.get(scan_id) is scan:
                    del self._pending[scan_id]

    async def read(self, scan_id: str) -> tuple[Scan | None, bool]:
        """The newest state Redis has, and whether it is fresh enough to be the last word; None if it has none."""
        if time.monotonic() < self._down_until:
            return None, False
        progress, result = _keys(scan_id)
        try:
            async with self._redis.pipeline(transaction=False) as pipe:
                pipe.hmget(progress, "body", "at")
                pipe.get(result)
                (body, at), final = await answer(pipe.execute())
        except _DOWN as error:
            self._break(error)
            return None, False
        # Both were written together, so while the snapshot lasts it is the newer one.
        if not body:
            return (msgspec.json.decode(final, type=Scan), True) if final else (None, False)
        scan = msgspec.json.decode(body, type=Scan)
        return scan, scan.state.terminal or self._clock() - float(at) <= _TRUSTED_SECONDS

    async def forget(self, scan_id: str) -> None:
        """Removes a deleted scan, and keeps late publishers from bringing it back."""
        self._pending.pop(scan_id, None)
        progress, result = _keys(scan_id)
        try:
            async with self._redis.pipeline(transaction=True) as pipe:
                pipe.delete(progress, result)
                pipe.hset(progress, "version", str(_DELETED_VERSION))
                pipe.expire(progress, _SNAPSHOT_SECONDS)
                pipe.publish(CHANNEL, scan_id)
                await answer(pipe.execute())
        except _DOWN as error:
            self._break(error)

    async def _try(self, scan: Scan) -> bool:
        if time.monotonic() < self._down_until:
            return False
        ttl = _RESULT_SECONDS if scan.state.terminal else 0
        body = msgspec.json.encode(scan)
        try:
            arguments: list[bytes | str | float] = [
                scan.version,
                body,
                self._clock(),
                _SNAPSHOT_SECONDS,
                ttl,
                CHANNEL,
                scan.scan_id,
            ]
            await answer(self._script(keys=_keys(scan.scan_id), args=arguments))
        except _DOWN as error:
            self._break(error)
            return False
        return True

    def _break(self, error: BaseException) -> None:
        """Leaves Redis alone for a moment: a dead one must not slow every request by its timeout."""
        if time.monotonic() >= self._down_until:
            _log.warning("redis unavailable", error=repr(error))
        self._down_until = time.monotonic() + _BREAK_SECONDS


class ScanReader:
    """Reads scans from Redis, and from PostgreSQL when Redis can't tell.

    Args:
        snapshots: Redis.
        load: Reads PostgreSQL; raises NotFound.
    """

    def __init__(self, snapshots: Snapshots, load: Callable[[str], Awaitable[Scan]]) -> None:
        self._snapshots = snapshots
        self._load = load

    async def read(self, scan_id: str) -> Scan:
        """The scan as it is now.

        Raises:
            NotFound: There is none.
        """
        held, fresh = await self._snapshots.read(scan_id)
        if held and fresh:
            return held
        stored = await self._load(scan_id)
        # Between two checkpoints the snapshot is ahead of PostgreSQL; showing it again makes it fresh.
        scan = held if held and held.version > stored.version else stored
        await self._snapshots.publish(scan)
        return scan

    async def refresh(self, scan_id: str) -> Scan:
        """The scan as PostgreSQL has it, published; after a change, or when one's own view is in doubt.

        Raises:
            NotFound: There is none.
        """
        scan = await self._load(scan_id)
        await self._snapshots.publish(scan)
        return scan
