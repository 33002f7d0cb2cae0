"""Progress between checkpoints: Redis carries it, and PostgreSQL while Redis may have lost some.

Readers ask PostgreSQL for what Redis can't tell, and there only checkpoints stand. Somebody may have seen more, and no
client may see a scan go back. So a reader asks the workers, whose rows say whether all that they have shown is stored.
A worker that is asked, or that finds Redis down, stores where its scans are, with the results it has held back, and
says so; from then on it stores progress before it shows it, until Redis has been there for a while. Nothing of this
happens while Redis has what readers want.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Protocol

import asyncpg
import structlog

from mesh import outages
from mesh.circuit_breakers import CircuitBreaker
from mesh.postgres import Queries
from scan_svc.progress.snapshots import Snapshot
from scan_svc.scans import Scan

_log = structlog.get_logger("progress")

_LOOK_SECONDS = 1.0
# How long nobody has asked, and Redis has been there, before progress goes by Redis alone again.
_QUIET_SECONDS = 5.0
# Between two tries: a checkpoint is under way that comes first.
_PAUSE_SECONDS = 0.02
_OUTAGE_PAUSE = 0.5
# How far something is: version, percent, step; of a client job also what is done, of what.
Standing = tuple[int, int, str, int | None, int | None]
# What was shown of a lease: how far it was, and that as readers are shown it.
_Shown = tuple["AnyLease", Standing, Scan | Snapshot]
_Store = Callable[[], None]


class AnyLease(Protocol):
    """A lease of a scan or of a client job."""

    @property
    def job_id(self) -> int:
        """Which job."""

    @property
    def token(self) -> int:
        """What every write of it carries."""

    @property
    def stage(self) -> str:
        """The stage it is at."""


class ProgressLog:
    """What a worker shows of the scans it works on.

    Args:
        pool: Connections.
        breaker: Whether Redis is there.
        announce: Shows a scan.
    """

    def __init__(
        self, pool: asyncpg.Pool, breaker: CircuitBreaker, announce: Callable[[Scan | Snapshot], None]
    ) -> None:
        self._pool = pool
        self._sql = Queries("scan_svc.progress")
        self._breaker = breaker
        self._announce = announce
        self._shown: dict[int, _Shown] = {}  # by job, newest
        self._waiting: dict[int, _Shown] = {}  # to be stored, then shown
        self._store_results: dict[int, _Store] = {}
        self._storing = False
        self._asked = False
        self._marked: set[int] = set()
        self._wake = asyncio.Event()

    def show(self, lease: AnyLease, scan: Scan | Snapshot, standing: Standing, store: _Store) -> None:
        """Shows a running scan or client job; in a moment, and once it is stored if that must be. Never fails.

        Args:
            lease: The lease.
            scan: What readers see.
            standing: How far it is.
            store: Begins to store results that are shown and aren't stored yet.
        """
        self._shown[lease.job_id] = lease, standing, scan
        self._store_results[lease.job_id] = store
        if self._storing:
            store()
            self._waiting[lease.job_id] = lease, standing, scan
            self._wake.set()
        else:
            self._announce(scan)

    def forget(self, lease: AnyLease) -> None:
        """The lease is over: what becomes of the scan is stored by whoever says it."""
        held = self._shown.get(lease.job_id)
        if held and held[0].token == lease.token:
            del self._shown[lease.job_id], self._store_results[lease.job_id]

    def ask(self) -> None:
        """Somebody needs to know how far the scans are."""
        self._asked = True
        self._wake.set()

    async def run(self) -> None:
        """Stores progress whenever that must be, for ever."""
        while True:
            await self._rest(_LOOK_SECONDS)
            if self._asked or self._storing or not self._breaker.closed:
                try:
                    await self._store_until_quiet()
                except Exception:  # a fault of ours; the next round goes on where this one broke
                    _log.exception("progress not stored")

    async def _store_until_quiet(self) -> None:
        _log.warning("progress is stored before it is shown", scans=len(self._shown))
        self._storing = True
        for store in self._store_results.values():
            store()
        self._waiting.update(self._shown)
        unstored, to_mark, quiet_at = set(self._shown), True, 0.0
        while to_mark or self._waiting or time.monotonic() < quiet_at:
            if self._asked or not self._breaker.closed:
                quiet_at = time.monotonic() + _QUIET_SECONDS
            to_mark, self._asked = to_mark or self._asked, False
            try:
                unstored = (unstored - await self._store()) & self._shown.keys()
                if to_mark and not unstored:
                    await self._mark()
                    to_mark = False
            except Exception as error:
                if outages.from_exception(error) is None:
                    raise
                await asyncio.sleep(_OUTAGE_PAUSE)
            await self._rest(_PAUSE_SECONDS if to_mark or self._waiting else _LOOK_SECONDS)
        await self._unmark()

    async def _store(self) -> set[int]:
        """Stores what waits, and shows what was stored; returns the jobs that need no further try."""
        batch, self._waiting = self._waiting, {}
        if not batch:
            return set()
        try:
            rows = await self._pool.fetch(self._sql["store_progress"], *_columns(list(batch.values())))
        except Exception:
            self._waiting = batch | self._waiting
            raise
        settled = {row["id"] for row in rows}
        for job_id, shown in batch.items():
            if job_id in settled:
                self._announce(shown[2])
            elif job_id in self._shown:
                self._waiting.setdefault(job_id, shown)
        return settled

    async def _mark(self) -> None:
        """Tells readers that all that was shown is stored."""
        leases = [lease for lease, _, _ in self._shown.values()]
        keys = [lease.job_id for lease in leases], [lease.token for lease in leases]
        self._marked.update(row["id"] for row in await self._pool.fetch(self._sql["mark_progress_stored"], *keys))

    async def _unmark(self) -> None:
        """Progress goes by Redis alone again, once readers know."""
        await self._pool.execute(self._sql["unmark_progress_stored"], list(self._marked))
        self._marked.clear()
        self._storing = False
        for _, _, scan in self._waiting.values():
            self._announce(scan)
        self._waiting.clear()

    async def _rest(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        self._wake.clear()


def _columns(shown: Sequence[_Shown]) -> tuple[list[object], ...]:
    rows = [(lease.job_id, lease.token, lease.stage, *standing) for lease, standing, _ in shown]
    return tuple(map(list, zip(*rows, strict=True)))
