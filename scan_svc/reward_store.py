"""Rewards in the job table: one job of kind `reward` for each scan that has succeeded and whose reward isn't known yet.

Transaction contract: the job is made by the statement that ends the scan; the reward, the scan's later version and the
end of the job are one statement. The scan's version decides races with replies: a reward that was evaluated on an older
version changes nothing.
"""

import functools
from collections.abc import Mapping, Sequence

import asyncpg
import msgspec
import structlog

from mesh.postgres import Queries
from scan_svc.commits import GroupCommit, Key
from scan_svc.queue import Fenced
from scan_svc.results import Reward
from scan_svc.rows import FAULT, readable, scan_from, to_json
from scan_svc.scans import Failure, Scan, StageRun

_log = structlog.get_logger("reward store")

KIND = "reward"

# A job that this release can't read is left to others, in steps, for as long as a scan may take.
_UNREADABLE_PAUSE = 10.0
_UNREADABLE_SECONDS = 300.0


class RewardLease(msgspec.Struct, frozen=True):
    """One reward to be evaluated, held by this worker.

    Attributes:
        job_id: Its job.
        token: What every write of this lease carries.
        attempt: Which try this is, from 1.
        traceparent: The trace its scan was submitted in; empty if none.
        scan: The scan, which has succeeded.
    """

    job_id: int
    token: int
    attempt: int
    traceparent: str
    scan: Scan

    @property
    def key(self) -> Key:
        """Tells this lease apart from the job's others."""
        return self.job_id, self.token


class RewardStore:
    """The reward jobs.

    Args:
        pool: Connections.
        queries: The service's SQL.
    """

    def __init__(self, pool: asyncpg.Pool, queries: Queries) -> None:
        self._pool = pool
        self._sql = queries
        self._endings = GroupCommit(self._commit)

    async def claim(self, worker_id: int, count: int) -> list[RewardLease]:
        """Takes up to `count` rewards that are due."""
        leases, unreadable = readable(await self._pool.fetch(self._sql["reward_claim"], worker_id, count), _lease)
        for row in unreadable:
            await self._set_aside(row)
        return leases

    async def finish(self, lease: RewardLease, reward: Reward, run: StageRun) -> int | None:
        """Adds a reward to its scan and ends the job; committed together with other scans' rewards.

        Returns:
            The scan's version from now on; None if nothing was written: the job has changed hands, or the scan has
            changed since it was read (see `holds`).
        """
        return await self._endings.write(lease.key, (lease, reward, run))

    async def holds(self, lease: RewardLease) -> bool:
        """Whether a lease is still good."""
        held: bool = await self._pool.fetchval(self._sql["holds"], lease.job_id, lease.token)
        return held

    async def drop(self, lease: RewardLease) -> None:
        """Ends a job whose scan has its reward already.

        Raises:
            Fenced: The job has changed hands.
        """
        await self._write("reward_drop", lease)

    async def retry(self, lease: RewardLease, failure: Failure, delay: float) -> None:
        """Puts a job back for another try in `delay` seconds.

        Raises:
            Fenced: The job has changed hands.
        """
        await self._write("retry", lease, to_json(failure), delay, to_json(None), 0)

    async def fail(self, lease: RewardLease, failure: Failure, *, replayable: bool) -> None:
        """Makes a job a dead letter; its scan stays as it is.

        Raises:
            Fenced: The job has changed hands.
        """
        await self._write("reward_fail", lease, to_json(failure), "DEAD" if replayable else "ARCHIVED")

    async def give_back(self, lease: RewardLease) -> None:
        """Returns a job untried, its attempt included.

        Raises:
            Fenced: The job has changed hands.
        """
        await self._write("give_back", lease, 0.0)

    async def _set_aside(self, row: asyncpg.Record) -> None:
        """Puts a job that can't be read back for a worker that can; if none has come in a scan's time, it failed."""
        job_id, token = row["job_id"], row["token"]
        write = functools.partial(self._pool.execute, self._sql["give_back"], job_id, token, _UNREADABLE_PAUSE)
        if row["age"] >= _UNREADABLE_SECONDS:
            write = functools.partial(
                self._pool.execute, self._sql["reward_fail"], job_id, token, to_json(FAULT), "DEAD"
            )
        try:
            await write()
        except Exception as error:  # the others of its claim mustn't be lost for it; it is reconciled
            _log.error("reward that can't be read not put back", job_id=job_id, error=repr(error))

    async def _write(self, query: str, lease: RewardLease, *arguments: object) -> None:
        if await self._pool.fetchval(self._sql[query], lease.job_id, lease.token, *arguments) is None:
            raise Fenced

    async def _commit(self, batch: Sequence[tuple[RewardLease, Reward, StageRun]]) -> Mapping[Key, int]:
        rows = await self._pool.fetch(
            self._sql["reward_finish"],
            [lease.job_id for lease, _, _ in batch], [lease.token for lease, _, _ in batch],
            [lease.scan.scan_id for lease, _, _ in batch], [lease.scan.version for lease, _, _ in batch],
            [to_json(reward) for _, reward, _ in batch], [to_json(run) for _, _, run in batch],
        )  # fmt: skip
        return {(row["id"], row["token"]): row["version"] for row in rows}


def _lease(row: asyncpg.Record) -> RewardLease:
    return RewardLease(row["job_id"], row["token"], row["attempt"], row["traceparent"] or "", scan_from(row))
