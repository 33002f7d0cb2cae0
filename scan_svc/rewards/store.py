"""Rewards in the job table: one job of kind `reward` for each scan that has succeeded and whose reward isn't known yet.

Transaction contract: the job is made by the statement that ends the scan; the reward, the scan's later version and the
end of the job are one statement. The scan's version decides races with replies: a reward that was evaluated on an older
version changes nothing.
"""

import functools
from collections.abc import Collection, Mapping, Sequence

import asyncpg
import structlog

from mesh.concurrency.group_commit import GroupCommit
from mesh.postgres import Queries
from scan_svc.jobs.leases import Fenced, Key, RewardLease
from scan_svc.mirrors.character import Reward
from scan_svc.rows import FAULT, readable, scan_from, to_json
from scan_svc.scans import Failure, StageRun

_log = structlog.get_logger("reward store")

# A job that this release can't read is left to others, in steps, for as long as a scan may take.
_UNREADABLE_PAUSE = 10.0
_UNREADABLE_SECONDS = 300.0


class RewardStore:
    """The reward jobs.

    Args:
        pool: Connections.
    """

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._sql = Queries("scan_svc.rewards", "scan_svc.jobs")
        self._endings = GroupCommit(self._commit, "finish_rewards")

    async def claim(self, worker_id: int, count: int, full: Collection[str] = ()) -> list[RewardLease]:
        """Takes up to `count` rewards that are due; nobody is ever `full`, since rewards take milliseconds."""
        leases, unreadable = readable(await self._pool.fetch(self._sql["claim"], worker_id, count), _lease)
        for row in unreadable:
            await self._set_aside(row)
        return leases

    async def finish(self, lease: RewardLease, reward: Reward, run: StageRun) -> int | None:
        """Adds a reward to its scan and ends the job; committed together with other scans' rewards.

        Returns:
            The scan's version from now on; None if nothing was written: the job has changed hands, or the scan has
            changed since it was read (see `holds_lease`).
        """
        return await self._endings.write(lease.key, (lease, reward, run))

    async def holds_lease(self, lease: RewardLease) -> bool:
        """Whether a lease is still good."""
        held: bool = await self._pool.fetchval(self._sql["holds_lease"], lease.job_id, lease.token)
        return held

    async def drop(self, lease: RewardLease) -> None:
        """Ends a job whose scan has its reward already.

        Raises:
            Fenced: The job has changed hands.
        """
        await self._write("drop", lease)

    async def retry(self, lease: RewardLease, failure: Failure, delay: float, duration_ms: int = 0) -> None:
        """Puts a job back for another try in `delay` seconds, after one that took `duration_ms`.

        Raises:
            Fenced: The job has changed hands.
        """
        await self._write("retry", lease, to_json(failure), delay, to_json(None), 0, duration_ms)

    async def fail(self, lease: RewardLease, failure: Failure, *, replayable: bool, duration_ms: int = 0) -> None:
        """Makes a job a dead letter, after a try that took `duration_ms`; its scan stays as it is.

        Raises:
            Fenced: The job has changed hands.
        """
        await self._write("fail", lease, to_json(failure), "DEAD" if replayable else "ARCHIVED", duration_ms)

    async def release(self, lease: RewardLease) -> None:
        """Returns a job untried, its attempt included.

        Raises:
            Fenced: The job has changed hands.
        """
        await self._write("release", lease, 0.0)

    async def _set_aside(self, row: asyncpg.Record) -> None:
        """Puts a job that can't be read back for a worker that can; if none has come in a scan's time, it failed."""
        job_id, token = row["job_id"], row["token"]
        write = functools.partial(self._pool.execute, self._sql["release"], job_id, token, _UNREADABLE_PAUSE)
        if row["age"] >= _UNREADABLE_SECONDS:
            write = functools.partial(self._pool.execute, self._sql["fail"], job_id, token, to_json(FAULT), "DEAD", 0)
        try:
            await write()
        except Exception as error:  # the others of its claim mustn't be lost for it; it is reconciled
            _log.error("reward that can't be read not put back", job_id=job_id, error=repr(error))

    async def _write(self, query: str, lease: RewardLease, *arguments: object) -> None:
        if await self._pool.fetchval(self._sql[query], lease.job_id, lease.token, *arguments) is None:
            raise Fenced

    async def _commit(self, batch: Sequence[tuple[RewardLease, Reward, StageRun]]) -> Mapping[Key, int]:
        rows = await self._pool.fetch(
            self._sql["finish"],
            [lease.job_id for lease, _, _ in batch], [lease.token for lease, _, _ in batch],
            [lease.scan.scan_id for lease, _, _ in batch], [lease.scan.version for lease, _, _ in batch],
            [to_json(reward) for _, reward, _ in batch], [to_json(run) for _, _, run in batch],
        )  # fmt: skip
        return {(row["id"], row["token"]): row["version"] for row in rows}


def _lease(row: asyncpg.Record) -> RewardLease:
    return RewardLease(row["job_id"], row["token"], row["attempt"], row["traceparent"] or "", scan_from(row))
