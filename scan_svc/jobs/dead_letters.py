"""Dead letters: scans and client jobs that failed for good, rewards that couldn't be had, and another try.

A dead letter is DEAD until it was replayed three times in vain, then ARCHIVED: nothing loops for ever. What earlier
stages produced stays with it, so a replay pays only for the stage that failed and those after it. A dead letter of the
stage `reward` belongs to a scan that has succeeded, and stays so. One of the stage `run` is a client job, and goes on
from its last checkpoint.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import asyncpg
import msgspec
import structlog

from mesh.errors import NotFound
from mesh.postgres import Queries
from mesh.reasons import Reason
from scan_svc.meters import ScanMeters
from scan_svc.mirrors.vision import Usage
from scan_svc.rows import failure_from
from scan_svc.scans import Failure

_log = structlog.get_logger("dead letters")

_REPLAYS = 3
_REPLAYED_AT_ONCE = 50


class DeadLetterState(StrEnum):
    """Whether a dead letter is replayed by itself."""

    DEAD = "DEAD"  # replayed by itself within minutes
    ARCHIVED = "ARCHIVED"  # waits for a person


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A scan or a client job that failed for good, or a scan whose reward couldn't be had.

    Attributes:
        scan_id: Which scan or client job.
        kind: The kind of job, as in the job table.
        user_id: Whose it is.
        job_id: Its row in the job table.
        state: Whether it is replayed by itself.
        stage: The stage that failed, from which it would go on.
        attempts: How often that stage was tried since the last replay.
        replays: How often it was replayed.
        failure: The last error.
        died_at: When it failed for good.
        spent: What the failed tries of the stage have cost, those before a replay included; None if nothing.
    """

    scan_id: str
    kind: str
    user_id: str
    job_id: int
    state: DeadLetterState
    stage: str
    attempts: int
    replays: int
    failure: Failure
    died_at: datetime
    spent: Usage | None


@dataclass(frozen=True, slots=True)
class DeadLetterFilter:
    """Which dead letters are meant.

    Attributes:
        stage: Only of this stage; all when empty.
        reason: Only with this reason; all when None.
        min_age: Only those dead for at least so many seconds.
        state: Only those in this state.
    """

    stage: str = ""
    reason: Reason | None = None
    min_age: float = 0.0
    state: DeadLetterState = DeadLetterState.DEAD


class DeadLetters:
    """The dead letters in the job table.

    Args:
        pool: Connections.
        refresh: Makes a replayed scan or client job known to its watchers; raises NotFound if it is gone.
        wake: Called with the kind of job there is to claim.
        meters: Count what becomes of them.
    """

    def __init__(
        self,
        pool: asyncpg.Pool,
        refresh: Callable[[str], Awaitable[object]],
        wake: Callable[[str], None],
        meters: ScanMeters | None = None,
    ) -> None:
        self._pool = pool
        self._sql = Queries("scan_svc.jobs")
        self._refresh = refresh
        self._wake = wake
        self._meters = meters or ScanMeters.off()

    async def page(self, wanted: DeadLetterFilter, after: tuple[datetime, int] | None, size: int) -> list[DeadLetter]:
        """Up to `size` of the letters meant, longest dead first, after a point (died_at, job_id) in that order."""
        died_at, job_id = after or (None, 0)
        rows = await self._pool.fetch(
            self._sql["dead_list"],
            wanted.state.value, wanted.stage, wanted.reason or "", wanted.min_age, died_at, job_id, size,
        )  # fmt: skip
        return [_letter(row) for row in rows]

    async def find(self, scan_id: str) -> DeadLetter | None:
        """The letter of a scan or of a client job, if it is one."""
        row = await self._pool.fetchrow(self._sql["dead_find"], scan_id)
        return _letter(row) if row else None

    async def replay(self, scan_id: str) -> str:
        """Queues a letter again, whatever its state; returns the stage it goes on from.

        Raises:
            NotFound: It isn't a dead letter.
        """
        stages = list((await self._replay([scan_id])).values())
        if not stages:
            raise NotFound(Reason.DEAD_LETTER_NOT_FOUND, scan_id=scan_id)
        return stages[0]

    async def replay_all(self, wanted: DeadLetterFilter, count: int) -> list[str]:
        """Queues up to `count` of the letters meant again, longest dead first; returns their ids."""
        return list(await self._replay([letter.scan_id for letter in await self.page(wanted, None, count)]))

    async def archive(self, scan_id: str) -> DeadLetter:
        """Sets a letter aside for a person; returns it as it is now.

        Raises:
            NotFound: It isn't a dead letter.
        """
        row = await self._pool.fetchrow(self._sql["dead_archive"], scan_id)
        if row is None:
            raise NotFound(Reason.DEAD_LETTER_NOT_FOUND, scan_id=scan_id)
        self._meters.archived(1)
        return _letter(row)

    async def reprocess(self) -> None:
        """Archives those whose replays are spent or seen by nobody, and replays the 50 that are dead longest."""
        spent = await self._pool.fetch(self._sql["dead_archive_spent"], _REPLAYS)
        due = await self._pool.fetch(self._sql["dead_due"], _REPLAYS, _REPLAYED_AT_ONCE)
        replayed = await self._replay([str(row["ref"]) for row in due])
        self._meters.archived(len(spent))
        if spent or replayed:
            _log.info("dead letters reprocessed", replayed=len(replayed), archived=len(spent))

    async def _replay(self, scan_ids: Sequence[str]) -> Mapping[str, str]:
        """Queues those that are dead letters still; returns the stages they go on from, by id."""
        rows = await self._pool.fetch(self._sql["dead_replay"], scan_ids)
        self._meters.replayed(len(rows))
        for kind in {row["kind"] for row in rows}:
            self._wake(kind)
        for row in rows:
            with suppress(NotFound):  # deleted meanwhile
                await self._refresh(str(row["id"]))
        return {str(row["id"]): row["stage"] for row in rows}


def _letter(row: asyncpg.Record) -> DeadLetter:
    return DeadLetter(
        str(row["ref"]), row["kind"], row["user_id"], row["id"], DeadLetterState(row["state"]), row["stage"],
        row["attempt"], row["replays"], failure_from(row["last_error"]), row["run_at"],
        msgspec.json.decode(row["spent"], type=Usage) if row["spent"] else None,
    )  # fmt: skip
