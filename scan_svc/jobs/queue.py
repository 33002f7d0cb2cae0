"""The scan jobs: who works on which scan, and what is done already.

Every write of a worker carries the job's token. The token rises whenever a job changes hands, so the late write of a
worker that was frozen, partitioned or cancelled changes no row: it is fenced, and raises `Fenced`. Only the database's
clock counts here.
"""

import functools
import time
from collections.abc import Collection, Mapping, Sequence

import asyncpg
import msgspec
import structlog

from mesh.concurrency.group_commit import GroupCommit
from mesh.postgres import Queries
from scan_svc.jobs.leases import Checkpoint, End, Fenced, Key, Lease, PutBack
from scan_svc.mirrors.vision import Usage
from scan_svc.rows import FAULT, readable, scan_from, to_json
from scan_svc.scans import Failure, Priority, Scan

_log = structlog.get_logger("queue")

# Crashes of one stage from which on a job is suspected of being their cause.
SUSPECT_CRASHES = 2
# A job that this release can't read is left to others, in steps, for as long as a scan may take.
_UNREADABLE_PAUSE = 10.0
_UNREADABLE_SECONDS = 300.0


class JobQueue:
    """The jobs of kind `scan`.

    Args:
        pool: Connections.
        stages: Where the jobs that are claimed may wait; empty: at any stage.
        aging_seconds: How long a batch scan has waited that counts as aged.
    """

    def __init__(self, pool: asyncpg.Pool, stages: Collection[str] = (), aging_seconds: float = 60.0) -> None:
        self._pool = pool
        self._sql = Queries("scan_svc.jobs")
        self._claim_sql, self._count_sql = (at_stages(self._sql[name], stages) for name in ("claim", "count_suspects"))
        self._aging_seconds = aging_seconds
        self._checkpoints = GroupCommit(self._commit_checkpoints, "checkpoint")
        self._endings = GroupCommit(self._commit_endings, "finish")

    async def claim(
        self,
        worker_id: int,
        count: int,
        full: Collection[str] = (),
        *,
        aged: int = 0,
        least: Priority = Priority.BATCH,
    ) -> list[Lease]:
        """Takes jobs that are due and no suspects, of greater priority first, in each of them users in turns.

        Args:
            worker_id: For whom.
            count: How many at most.
            full: Users of whom none is taken.
            aged: So many of them may be batch scans that have waited for long, before all others.
            least: None of less priority is taken but for these.
        """
        return await self._claim(worker_id, count, 0, SUSPECT_CRASHES - 1, full, aged, least)

    async def claim_suspects(self, worker_id: int, count: int, least_crashes: int, most_crashes: int) -> list[Lease]:
        """Takes up to `count` jobs that are due and were in so many crashes of their stage; to be run apart."""
        return await self._claim(worker_id, count, least_crashes, most_crashes)

    async def count_suspects(self) -> int:
        """How many jobs are due that were in several crashes of their stage."""
        count: int = await self._pool.fetchval(self._count_sql)
        return count

    async def checkpoint(self, done: Checkpoint) -> None:
        """Stores what a stage produced and moves the job on; committed together with other scans' checkpoints.

        Raises:
            Fenced: The job has changed hands.
        """
        if await self._checkpoints.write(done.lease.key, done) is None:
            raise Fenced

    async def finish(self, done: Checkpoint, reward_worker_id: int | None = None) -> End:
        """Stores what the last stage produced and ends the job; committed together with other scans' ends.

        Args:
            done: The last stage.
            reward_worker_id: The worker that evaluates the scan's reward next; None: any may claim it.

        Raises:
            Fenced: The job has changed hands.
        """
        ended = await self._endings.write(done.lease.key, (done, reward_worker_id))
        if ended is None:
            raise Fenced
        return ended

    async def holds_lease(self, lease: Lease) -> bool:
        """Whether a lease is still good."""
        held: bool = await self._pool.fetchval(self._sql["holds_lease"], lease.job_id, lease.token)
        return held

    async def holds_result(self, done: Checkpoint) -> bool:
        """Whether a checkpoint or an end was written by this lease: the answer to a commit whose outcome was lost."""
        lease = done.lease
        held: bool = await self._pool.fetchval(
            self._sql["holds_result"], lease.job_id, lease.stage, lease.token, done.scan.scan_id, done.scan.version
        )
        return held

    async def retry(
        self, lease: Lease, failure: Failure, delay: float, *, counts: bool = True, duration_ms: int = 0
    ) -> PutBack:
        """Puts a job back for another try of its stage, with what it has spent.

        Args:
            lease: The lease.
            failure: Why this try failed.
            delay: Seconds until the next one.
            counts: Whether this one counts as a try.
            duration_ms: How long it took.

        Raises:
            Fenced: The job has changed hands.
        """
        return await self._put_back(
            "retry", lease.job_id, lease.token, to_json(failure), delay, to_json(lease.spent), int(not counts),
            duration_ms,
        )  # fmt: skip

    async def release(self, lease: Lease) -> PutBack:
        """Returns a job untried, its attempt included.

        Raises:
            Fenced: The job has changed hands.
        """
        return await self._put_back("release", lease.job_id, lease.token, 0.0)

    async def fail(
        self, lease: Lease, failure: Failure, *, replayable: bool, shown: Scan | None = None, duration_ms: int = 0
    ) -> End:
        """Fails a scan for good.

        Args:
            lease: The lease.
            failure: Why.
            replayable: Whether it may be tried again one day.
            shown: The scan as readers see it; by default as it was when the lease began.
            duration_ms: How long the last try took.

        Raises:
            Fenced: The job has changed hands.
        """
        state = "DEAD" if replayable else "ARCHIVED"
        row = await self._pool.fetchrow(
            self._sql["fail"], lease.job_id, lease.token, to_json(failure), state, to_json(lease.spent),
            (shown or lease.scan).percent, (shown or lease.scan).step, duration_ms,
        )  # fmt: skip
        if row is None:
            raise Fenced
        return End.of(row)

    async def _claim(
        self,
        worker_id: int,
        count: int,
        least_crashes: int,
        most_crashes: int,
        full: Collection[str] = (),
        aged: int = 0,
        least: Priority = Priority.BATCH,
    ) -> list[Lease]:
        asked_at = time.monotonic()
        rows = await self._pool.fetch(
            self._claim_sql, worker_id, count, least_crashes, most_crashes, list(full), min(aged, count),
            self._aging_seconds, int(least),
        )  # fmt: skip
        leases, unreadable = readable(rows, functools.partial(_lease, worker_id=worker_id, asked_at=asked_at))
        for row in unreadable:
            await self._set_aside(row)
        return leases

    async def _set_aside(self, row: asyncpg.Record) -> None:
        """Puts a job that can't be read back for a worker that can; if none has come in a scan's time, it failed."""
        job_id, token = row["job_id"], row["token"]
        try:
            if row["age"] < _UNREADABLE_SECONDS:
                await self._pool.execute(self._sql["release"], job_id, token, _UNREADABLE_PAUSE)
            else:
                await self._pool.execute(
                    self._sql["fail"], job_id, token, to_json(FAULT), "DEAD", row["spent"], row["percent"], row["step"],
                    0,
                )  # fmt: skip
        except Exception as error:  # the others of its claim mustn't be lost for it; it is reconciled
            _log.error("job that can't be read not put back", job_id=job_id, error=repr(error))

    async def _commit_checkpoints(self, batch: Sequence[Checkpoint]) -> Mapping[Key, bool]:
        parts = [
            (*one.lease.key, stage, to_json(output), to_json(run))
            for one in batch
            for (stage, output), run in zip(one.outputs.items(), one.runs, strict=True)
        ]
        revised = [(*one.lease.key, stage, to_json(output)) for one in batch for stage, output in one.revised.items()]
        rows = await self._pool.fetch(
            self._sql["checkpoint"],
            [one.lease.job_id for one in batch], [one.lease.token for one in batch],
            [one.lease.stage for one in batch], [one.following for one in batch],
            [one.scan.version for one in batch], [one.scan.percent for one in batch],
            [one.scan.step.value for one in batch],
            *zip(*parts, strict=True),
            *(zip(*revised, strict=True) if revised else ([], [], [], [])),
        )  # fmt: skip
        return {(row["id"], row["token"]): True for row in rows}

    async def _commit_endings(self, batch: Sequence[tuple[Checkpoint, int | None]]) -> Mapping[Key, End]:
        ends = [one for one, _ in batch]
        rows = await self._pool.fetch(
            self._sql["finish"],
            [one.lease.job_id for one in ends], [one.lease.token for one in ends],
            [one.lease.stage for one in ends], [one.scan.version for one in ends],
            [to_json(one.scan.results) for one in ends], [to_json(one.scan.stages) for one in ends],
            [one.scan.results.awaits_reward for one in ends], [worker_id for _, worker_id in batch],
        )  # fmt: skip
        return {(row["id"], row["token"]): End.of(row) for row in rows}

    async def _put_back(self, query: str, *arguments: object) -> PutBack:
        row = await self._pool.fetchrow(self._sql[query], *arguments)
        if row is None:
            raise Fenced
        return PutBack(row["version"], row["percent"])


def at_stages(statement: str, stages: Collection[str]) -> str:
    """A statement that looks only at jobs that wait at some stages; as it is if none are named.

    The names stand in its text, since only so the planner sees that a partial index has all these jobs.
    """
    if not stages:
        return statement
    names = ", ".join(f"'{stage}'" for stage in sorted(stages))
    return statement.replace("/* at these stages */", f"and waits_at in ({names})")


def _lease(row: asyncpg.Record, worker_id: int, asked_at: float) -> Lease:
    return Lease(
        row["job_id"],
        row["token"],
        row["job_stage"],
        row["attempt"],
        row["age"],
        asked_at,
        row["traceparent"] or "",
        scan_from(row),
        msgspec.json.decode(row["spent"], type=Usage) if row["spent"] else None,
        worker_id=worker_id,
    )
