"""Reads that may be late, from a replica of PostgreSQL: while it is near, and else from the primary.

How late it is can't be asked of it: a standby that lost its primary believes that it has everything. So the primary is
asked each second how far its log is, and the replica how far it has replayed it; it is as late as the last place in
the log that it has reached is old.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from time import monotonic
from typing import Final, Protocol, TypeVar

import asyncpg
import structlog

from mesh.concurrency.tasks import kept_running
from mesh.postgres import Pool, open_pool
from mesh.settings import ReplicaSettings

_log = structlog.get_logger("replica")

T = TypeVar("T")

_LOOK_SECONDS: Final = 1.0
# A replica that doesn't answer costs a read no more than this before the primary is asked.
_READ_SECONDS: Final = 2.0
_MEASURE_SECONDS: Final = 2.0
_PRIMARY = "select (pg_current_wal_lsn() - '0/0')::bigint"
# Null: it isn't a standby, or was made a primary.
_REPLICA = "select case when pg_is_in_recovery() then (pg_last_wal_replay_lsn() - '0/0')::bigint end"


class Reads(Protocol):
    """Where reads go that may be late."""

    async def read(self, ask: Callable[[asyncpg.Pool], Awaitable[T]]) -> T:
        """What `ask` reads from the pool it is given; it may be asked twice.

        Raises:
            Exception: As `ask` does of the primary.
        """

    @property
    def near(self) -> bool:
        """Whether a replica is read."""


class PrimaryReads:
    """Without a replica: the primary.

    Args:
        primary: Connections.
    """

    near = False

    def __init__(self, primary: asyncpg.Pool) -> None:
        self._primary = primary

    async def read(self, ask: Callable[[asyncpg.Pool], Awaitable[T]]) -> T:
        """As `Reads.read`."""
        return await ask(self._primary)


class Lag:
    """How late a replica is, by where both logs are."""

    def __init__(self) -> None:
        # When the primary was where, both rising. Of a replica that is an hour late it needn't be known exactly.
        self._written: deque[tuple[float, int]] = deque(maxlen=3600)
        self._reached: float | None = None  # since when the primary had been where the replica is

    def wrote(self, at: float, place: int) -> None:
        """The primary's log ended at a place, at a moment of the monotonic clock."""
        self._written.append((at, place))

    def replayed(self, place: int) -> None:
        """The replica has replayed the log up to a place."""
        while self._written and self._written[0][1] <= place:
            self._reached = self._written.popleft()[0]

    def seconds(self, now: float) -> float:
        """How late it is at most; infinite while nothing is known."""
        return float("inf") if self._reached is None else now - self._reached


class ReplicaReads:
    """A replica that is read while it is near.

    Args:
        primary: Connections to the primary.
        replica: Connections to the replica.
        bound: Seconds that it may be late.
    """

    def __init__(self, primary: asyncpg.Pool, replica: asyncpg.Pool, bound: float) -> None:
        self._primary, self._replica, self._bound = primary, replica, bound
        self._lag = Lag()
        self._refused = True  # until it was measured
        self._told = False  # what the log says of it: whether it is read

    @property
    def near(self) -> bool:
        """Whether the replica answers, and is within the bound."""
        return not self._refused and self.lag <= self._bound

    @property
    def lag(self) -> float:
        """Seconds that it is late at most; infinite while nothing is known."""
        return self._lag.seconds(monotonic())

    async def read(self, ask: Callable[[asyncpg.Pool], Awaitable[T]]) -> T:
        """As `Reads.read`. Whatever the replica answers but a result, the primary is asked then."""
        if self.near:
            try:
                async with asyncio.timeout(_READ_SECONDS):
                    return await ask(self._replica)
            except Exception as error:
                self._away(error)
        return await ask(self._primary)

    async def watch(self) -> None:
        """Measures for ever how late it is."""
        while True:
            try:
                async with asyncio.timeout(_MEASURE_SECONDS):
                    await self._measure()
            except Exception as error:
                self._away(error)
            self._tell()
            await asyncio.sleep(_LOOK_SECONDS)

    async def _measure(self) -> None:
        at = monotonic()
        self._lag.wrote(at, await self._primary.fetchval(_PRIMARY))
        place = await self._replica.fetchval(_REPLICA)
        if place is None:
            raise ConnectionError("ECO2_DATABASE_READ_URL leads to no standby")
        self._lag.replayed(place)
        self._refused = False

    def _away(self, error: Exception) -> None:
        """Nobody waits for it again before it was measured anew."""
        if not self._refused:
            _log.warning("replica away: reading from the primary", error=repr(error))
        self._refused, self._told = True, False

    def _tell(self) -> None:
        if self._refused or self.near == self._told:
            return
        self._told = self.near
        if self._told:
            _log.info("replica near: reading from it", lag=round(self.lag, 1))
        else:
            _log.warning("replica too late: reading from the primary", lag=round(self.lag, 1))


@asynccontextmanager
async def open_reads(
    settings: ReplicaSettings, primary: Pool, *, max_size: int = 4, opened: Callable[[Pool], object] | None = None
) -> AsyncIterator[Reads]:
    """Where a service's reads go that may be late.

    Args:
        settings: Where the replica is, if there is one.
        primary: Connections to the primary.
        max_size: Connections to the replica at most.
        opened: Told of the pool of these, if there is a replica.
    """
    if not (dsn := settings.database_read_url.get_secret_value()):
        yield PrimaryReads(primary)
        return
    async with open_pool(dsn, max_size=max_size, pooled=settings.pooled) as replica:
        if opened:
            opened(replica)
        reads = ReplicaReads(primary, replica, settings.database_read_lag_seconds)
        async with kept_running(reads.watch):
            yield reads
