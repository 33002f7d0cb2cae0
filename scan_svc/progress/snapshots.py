"""The latest state of each scan in Redis, and of each client job: what follows says scan for both.

Redis holds versioned snapshots and wakes watchers up; PostgreSQL is the truth. Redis may stall, restart empty or be
gone: publishing never fails or delays a scan, and readers fall back (`scan_svc.progress.reader`).
"""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import msgspec
import structlog

from mesh.concurrency.batches import Batches
from mesh.locale import Locale
from mesh.redis import DOWN, GuardedRedis, together
from scan_svc.progress.cache import SILENT_SECONDS, InvalidatedCache
from scan_svc.progress.keys import ENDED_MARK, ScanKeys
from scan_svc.progress.outbox import Outbox
from scan_svc.scans import Priority, Scan, State, Step

_log = structlog.get_logger("progress")

_SNAPSHOT_SECONDS = 3600
_RESULT_SECONDS = 86_400
# A deletion is told as long as anybody may still publish what was before: as long as a whole scan may take.
_DELETED_SECONDS = 300
# A snapshot of a scan that hasn't settled and that is older than this is checked against PostgreSQL: its successor may
# have been lost with the process that wanted to publish it.
_TRUSTED_SECONDS = 30.0
# So long after an outage a snapshot from before it is checked, too: a replica that took over may have lost a newer one,
# until whoever wrote that writes it again.
_DOUBTFUL_SECONDS = 30.0
# Clocks of two processes differ by less.
_SKEW_SECONDS = 1.0
# How long a watch that shows an answer already waits for its reward before it ends.
REWARD_SECONDS = 2.0

# Compare, write, expire and wake in one step, so that shuffled updates never go backwards; many scans at once, which on
# a cluster share a tag. A value begins with its version, ten digits wide, so versions compare as text.
# KEYS: snapshot and result of each scan. ARGV: snapshot ttl, channel, the mark, a deletion's ttl, the command that
# publishes; then of each scan its value, its result's ttl (0: it hasn't ended), its id, and '1' if nothing is to be
# written where nothing is. A scan that had ended before, whose reward or reply has come, isn't marked again: who counts
# the marks measures how fast scans get done. Of a deleted scan nothing but its version stays, for as long as a
# deletion's ttl says.
_PUBLISH = """
local changed = {}
for scan = 1, #KEYS / 2 do
  local progress, result = KEYS[2 * scan - 1], KEYS[2 * scan]
  local value, keep, tell, repeated = unpack(ARGV, 4 * scan + 2, 4 * scan + 5)
  local held, version = redis.call('GETRANGE', progress, 0, 9), string.sub(value, 1, 10)
  if held <= version and (repeated ~= '1' or redis.call('EXISTS', progress, result) > 0) then
    redis.call('SET', progress, value, 'EX', #value > 10 and ARGV[1] or ARGV[4])
    if keep ~= '0' and redis.call('EXISTS', result) == 0 then tell = tell .. ARGV[3] end
    if keep ~= '0' then redis.call('SET', result, value, 'EX', keep) else redis.call('DEL', result) end
    if held ~= version then changed[#changed + 1] = tell end
  end
end
if #changed > 0 then redis.call(ARGV[5], ARGV[2], table.concat(changed, ' ')) end
"""
# What a snapshot is of, where it isn't a kind of client job.
SCAN = "scan"
# Outranks every version: a snapshot that arrives after the deletion must not bring the scan back.
_DELETED_VERSION = 2**31 - 1
_DIGITS = 10


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A scan at one version, ready to be shown.

    Attributes:
        body: The scan as clients see it but for what depends on the reader; `scan_svc.wire` makes and reads it.
        queued_at: When it was queued, in seconds since the epoch; 0 if it wasn't.
        at: When this was known to be the newest, in seconds since the epoch; 0 if it may not be.
        settles_at: Until when watchers wait for its reward, in seconds since the epoch; 0 if none is to come.
        kind: What it is of: a scan, or a client job of this kind, whose step stands in the body.
        file_key: The file that a client job has made; empty if there is none.
    """

    scan_id: str
    user_id: str
    version: int
    state: State
    step: Step
    locale: Locale
    body: bytes
    queued_at: float
    at: float
    settles_at: float = 0.0
    priority: Priority = Priority.INTERACTIVE
    kind: str = SCAN
    file_key: str = ""

    @property
    def behind(self) -> bool:
        """Of one that was read from PostgreSQL: whether its worker may have shown more."""
        return not self.at

    @property
    def settled(self) -> bool:
        """Whether nothing follows by itself: it has ended, and its reward has come or never will."""
        return self.state.terminal and not self.settles_at


# What waits to be published: a scan, a snapshot read elsewhere, or that there is no such scan any more.
_Entry = Scan | Snapshot | None

_decode = msgspec.msgpack.Decoder(Snapshot).decode
_encode = msgspec.msgpack.Encoder().encode


class Snapshots:
    """The snapshots in Redis.

    What is announced goes out in batches, the newest state of each scan; while Redis is down it waits.

    Args:
        redis: Redis.
        render: Makes a snapshot's body.
        clock: Seconds since the epoch.

    Attributes:
        cache: What was read and hasn't changed since; the subscriber opens it.
    """

    def __init__(
        self, redis: GuardedRedis, render: Callable[[Scan], bytes], clock: Callable[[], float] = time.time
    ) -> None:
        self._redis = redis
        self._render = render
        self._clock = clock
        self._keys = ScanKeys(redis.sharded)
        self._script = redis.script(_PUBLISH)
        self._outbox: Outbox[_Entry] = Outbox(redis.breaker, self._publish, _version)
        self._reads = Batches(self._fetch)
        self.cache: InvalidatedCache[Snapshot] = InvalidatedCache()

    def announce(self, scan: Scan | Snapshot) -> None:
        """Makes a scan's newest state known, in a moment. Never fails."""
        self._put(scan.scan_id, scan)

    async def publish(self, scan: Scan | Snapshot) -> None:
        """Makes a scan's newest state known; returns when readers find it, or at once while Redis is down."""
        self._put(scan.scan_id, scan)
        await self._outbox.sent(scan.scan_id)

    async def forget(self, scan_id: str) -> None:
        """Removes a deleted scan, and keeps late publishers from bringing it back."""
        self._put(scan_id, None)
        await self._outbox.sent(scan_id)

    def renew(self, snapshot: Snapshot) -> None:
        """Says that a snapshot still is the newest state there is."""
        self._put(snapshot.scan_id, replace(snapshot, at=self._clock()))

    def of(self, scan: Scan | Snapshot) -> Snapshot:
        """The snapshot of a scan; a client job comes as one."""
        if isinstance(scan, Snapshot):
            return scan
        return Snapshot(
            scan.scan_id,
            scan.user_id,
            scan.version,
            scan.state,
            scan.step,
            scan.locale,
            self._render(scan),
            scan.started_at.timestamp() if scan.started_at else 0.0,
            0.0 if scan.behind else self._clock(),
            _settles_at(scan),
            scan.priority,
        )

    async def read(self, scan_id: str) -> Snapshot | None:
        """The newest state Redis has; None if it has none or is down."""
        if not self._redis.breaker.closed:
            return None
        # On its way to Redis: a reader that comes right after a change must not see what was before, nor what readers
        # elsewhere can't see yet.
        if scan_id in self._outbox:
            await self._outbox.sent(scan_id)
            if not self._redis.breaker.closed:
                return None
        if held := self.cache.get(scan_id):
            return held
        reading = self.cache.reading(scan_id)
        try:
            read = await self._reads.get(scan_id)
        except DOWN:
            return None
        self.cache.keep(scan_id, reading, read)
        return read

    def trusts(self, snapshot: Snapshot) -> bool:
        """Whether a snapshot is the last word."""
        if self.doubts(snapshot):
            return False
        return snapshot.settled or self._clock() - snapshot.at <= _TRUSTED_SECONDS

    def doubts(self, snapshot: Snapshot) -> bool:
        """Whether a newer one may have been lost with the server that had it, for it is from before an outage."""
        since = time.monotonic() - self._redis.breaker.opened_at
        return since < _DOUBTFUL_SECONDS and snapshot.at < self._clock() - since + _SKEW_SECONDS

    async def outlast_caches(self) -> None:
        """Waits, once Redis is lost, until no process shows what it had kept: it may be older than what is stored."""
        left = self._redis.breaker.opened_at + SILENT_SECONDS - time.monotonic()
        if left > 0 and not self._redis.breaker.closed:
            await asyncio.sleep(left)

    async def flush(self) -> None:
        """Waits until everything that was announced is out, if Redis is there."""
        await self._outbox.flush()

    def _put(self, scan_id: str, entry: _Entry) -> None:
        if self._outbox.put(scan_id, entry):
            self.cache.drop((scan_id,))

    async def _publish(self, batch: Mapping[str, _Entry]) -> None:
        calls: dict[str, tuple[list[str], list[bytes | str | int]]] = {}  # by tag
        for scan_id, entry in batch.items():
            tag = self._keys.tag(scan_id)
            keys, arguments = calls.setdefault(tag, ([], self._arguments(tag)))
            try:
                arguments += self._told(scan_id, entry)
            except Exception:  # a scan that can't be shown must not keep the others from it
                _log.exception("progress lost", scan_id=scan_id)
            else:
                keys += (self._keys.progress(scan_id), self._keys.result(scan_id))
        await together(*(self._script(keys, arguments) for keys, arguments in calls.values()))

    def _arguments(self, tag: str) -> list[bytes | str | int]:
        """What the script wants to know of all scans of a tag."""
        return [_SNAPSHOT_SECONDS, self._keys.channel(tag), ENDED_MARK, _DELETED_SECONDS, self._keys.publish]

    def _told(self, scan_id: str, entry: _Entry) -> tuple[bytes | str, int, str, int]:
        """What the script wants to know of one scan."""
        repeated = int(scan_id in self._outbox.repeated)
        if entry is None:
            return f"{_DELETED_VERSION:010d}", 0, scan_id, repeated
        snapshot = self.of(entry) if isinstance(entry, Scan) else entry
        if scan_id in self._outbox.doubtful:
            snapshot = replace(snapshot, at=0.0)
        value = b"%010d" % snapshot.version + _encode(snapshot)
        return value, _RESULT_SECONDS if snapshot.state.terminal else 0, scan_id, repeated

    async def _fetch(self, scan_ids: Sequence[str]) -> Mapping[str, Snapshot]:
        held = await self._held(self._keys.progress, scan_ids)
        # A result outlives its snapshot. Both were written together, so while the snapshot lasts it is as new.
        missing = [scan_id for scan_id in scan_ids if scan_id not in held]
        if missing:
            held |= await self._held(self._keys.result, missing)
        snapshots = {scan_id: _decoded(value) for scan_id, value in held.items()}
        return {scan_id: snapshot for scan_id, snapshot in snapshots.items() if snapshot}

    async def _held(self, key: Callable[[str], str], scan_ids: Sequence[str]) -> dict[str, bytes]:
        values = await self._redis.get_many([key(scan_id) for scan_id in scan_ids])
        return {scan_id: value for scan_id, value in zip(scan_ids, values, strict=True) if value}


def _decoded(value: bytes) -> Snapshot | None:
    """The snapshot in a value; None of a deleted scan, and of one in another release's form: it is made anew."""
    try:
        return _decode(value[_DIGITS:]) if len(value) > _DIGITS else None
    except msgspec.MsgspecError:
        return None


def _settles_at(scan: Scan) -> float:
    awaits_reward = scan.results.awaits_reward and not scan.hidden
    if scan.state is not State.SUCCEEDED or scan.finished_at is None or not awaits_reward:
        return 0.0
    return scan.finished_at.timestamp() + REWARD_SECONDS


def _version(entry: _Entry) -> int:
    return _DELETED_VERSION if entry is None else entry.version
