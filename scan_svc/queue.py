"""The job table: who works on which scan, and what is done already.

Every write of a worker carries the job's token. The token rises whenever a job changes hands, so the late write of a
worker that was frozen, partitioned or cancelled changes no row: it is fenced, and raises `Fenced`. Only the database's
clock counts here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import asyncpg
import msgspec

from mesh.errors import Internal, NotFound, Reason
from mesh.postgres import Queries
from scan_svc.rows import scan_from, to_json
from scan_svc.scans import Failure, Scan, StageRun, State


class Fenced(Exception):
    """Somebody else has the job now: stop, and write nothing."""


@dataclass(frozen=True, slots=True)
class Lease:
    """One job, held by this worker.

    Attributes:
        job_id: Which job.
        token: What every write of this lease carries.
        stage: The stage to go on from.
        attempt: Which try of that stage this is, from 1.
        age: Seconds since the scan was queued.
        traceparent: The trace it was submitted in; empty if none.
        scan: The scan with everything its stages have produced.
    """

    job_id: int
    token: int
    stage: str
    attempt: int
    age: float
    traceparent: str
    scan: Scan


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A scan that failed for good and may be replayed."""

    scan_id: str
    job_id: int
    stage: str
    attempts: int
    replays: int
    failure: Failure
    died_at: datetime


@dataclass(frozen=True, slots=True)
class StageStats:
    """What waits at one stage; ages in seconds."""

    stage: str
    ready: int
    in_flight: int
    dead: int
    oldest_age: float


class JobQueue:
    """The scan jobs.

    Args:
        pool: Connections.
        queries: The service's SQL.
    """

    def __init__(self, pool: asyncpg.Pool, queries: Queries) -> None:
        self._pool = pool
        self._sql = queries

    async def enlist(self) -> int:
        """Registers a worker; returns its id."""
        worker_id: int = await self._pool.fetchval(self._sql["enlist"])
        return worker_id

    async def beat(self, worker_id: int) -> bool:
        """Tells that a worker lives; False if it was declared dead and must stop."""
        return await self._pool.fetchval(self._sql["beat"], worker_id) is not None

    async def dismiss(self, worker_id: int) -> None:
        """Removes a worker that holds nothing any more."""
        await self._pool.execute(self._sql["dismiss"], worker_id)

    async def reap(self, lease_seconds: float) -> list[str]:
        """Takes jobs back from workers that fell silent; returns the scans concerned."""
        await self._pool.execute(self._sql["remove_overdue"], lease_seconds)
        crashed = to_json(Failure.of(Internal(Reason.INTERNAL, trace_id="")))
        return [str(row["id"]) for row in await self._pool.fetch(self._sql["release_orphans"], crashed)]

    async def claim(self, worker_id: int, count: int) -> list[Lease]:
        """Takes up to `count` jobs that are due."""
        rows = await self._pool.fetch(self._sql["claim"], worker_id, count)
        return [_lease(row) for row in rows]

    async def checkpoint(
        self, lease: Lease, scan: Scan, following: str, outputs: Mapping[str, object], runs: Sequence[StageRun]
    ) -> None:
        """Stores what a stage produced and moves the job on.

        Args:
            lease: The lease, at the stage that is done.
            scan: The scan as readers see it from now on.
            following: The stage that follows.
            outputs: Result by stage; more than one where stages run side by side.
            runs: Attempts and duration, one for each output.

        Raises:
            Fenced: The job has changed hands.
        """
        written = await self._pool.fetchval(
            self._sql["checkpoint"],
            lease.job_id, lease.token, lease.stage, following,
            list(outputs), [to_json(output) for output in outputs.values()],
            [run.attempts for run in runs], [run.duration_ms for run in runs],
            scan.version, scan.percent, scan.step.value,
        )  # fmt: skip
        if written is None:
            raise Fenced

    async def holds_result(self, lease: Lease) -> bool:
        """Whether this lease stored its stage's result: the answer to a commit whose outcome was lost."""
        held: bool = await self._pool.fetchval(self._sql["holds_result"], lease.job_id, lease.stage, lease.token)
        return held

    async def finish(self, lease: Lease, scan: Scan) -> Scan:
        """Ends a job whose stages are all done; returns the scan as it is for good.

        Raises:
            Fenced: The job has changed hands.
        """
        finished_at = await self._pool.fetchval(self._sql["finish"], lease.job_id, lease.token, scan.version)
        if finished_at is None:
            raise Fenced
        return replace(scan, finished_at=finished_at)

    async def retry(self, lease: Lease, failure: Failure, delay: float) -> int:
        """Puts a job back for another try of its stage in `delay` seconds; returns the scan's version.

        Raises:
            Fenced: The job has changed hands.
        """
        return await self._version("retry", lease.job_id, lease.token, to_json(failure), delay)

    async def give_back(self, lease: Lease) -> int:
        """Returns a job untried, its attempt included; returns the scan's version.

        Raises:
            Fenced: The job has changed hands.
        """
        return await self._version("give_back", lease.job_id, lease.token)

    async def bury(self, lease: Lease, failure: Failure, *, replayable: bool) -> Scan:
        """Fails a scan for good; returns it as it is from now on.

        Raises:
            Fenced: The job has changed hands.
        """
        state = "DEAD" if replayable else "ARCHIVED"
        row = await self._pool.fetchrow(self._sql["bury"], lease.job_id, lease.token, to_json(failure), state)
        if row is None:
            raise Fenced
        return replace(
            lease.scan, state=State.FAILED, version=row["version"], error=failure, finished_at=row["finished_at"]
        )

    async def dead_letters(self, stage: str, after: tuple[datetime, int] | None, size: int) -> list[DeadLetter]:
        """Dead letters of a stage (of all when empty), longest dead first, after a point in that order."""
        died_at, job_id = after or (None, 0)
        return [
            DeadLetter(
                str(row["ref"]), row["id"], row["stage"], row["attempt"], row["replays"],
                msgspec.json.decode(row["last_error"], type=Failure), row["run_at"],
            )
            for row in await self._pool.fetch(self._sql["list_dead"], stage, died_at, job_id, size)
        ]  # fmt: skip

    async def replay(self, scan_id: str) -> str:
        """Queues a dead letter again; returns the stage it goes on from.

        Raises:
            NotFound: It isn't among the dead letters.
        """
        stage: str | None = await self._pool.fetchval(self._sql["replay"], scan_id)
        if stage is None:
            raise NotFound(Reason.DEAD_LETTER_NOT_FOUND, scan_id=scan_id)
        return stage

    async def stats(self) -> list[StageStats]:
        """What waits, at every stage that has any."""
        return [StageStats(**dict(row)) for row in await self._pool.fetch(self._sql["queue_stats"])]

    async def due(self, task: str, every_seconds: float) -> bool:
        """True for the one process that may run a periodic task now."""
        return await self._pool.fetchval(self._sql["due_periodic"], task, every_seconds) is not None

    async def _version(self, query: str, *arguments: object) -> int:
        version: int | None = await self._pool.fetchval(self._sql[query], *arguments)
        if version is None:
            raise Fenced
        return version


def _lease(row: asyncpg.Record) -> Lease:
    scan = replace(scan_from(row), state=State.RUNNING, version=row["claimed_version"])
    return Lease(
        row["job_id"], row["token"], row["job_stage"], row["attempt"], row["age"], row["traceparent"] or "", scan
    )
