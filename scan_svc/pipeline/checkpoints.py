"""Commits what stages produced, whatever happens meanwhile: it may have been paid for.

A commit goes on when whoever waits for it is cancelled. It is repeated until the database answers; a try that was
stored although its answer was lost is recognised. What cost nothing may be held, and is then stored with the next
result: as long as all goes well, one commit is enough for both.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Protocol

from msgspec.structs import replace

from mesh.concurrency.tasks import end
from scan_svc.jobs.leases import REWARD_KIND, Checkpoint, End, Fenced, RewardLease
from scan_svc.jobs.queue import JobQueue
from scan_svc.pipeline.lease_guard import LeaseGuard
from scan_svc.pipeline.persistence import persist


class Handover(Protocol):
    """Takes over the rewards of scans that end here, so that nobody has to claim them."""

    def reserve(self) -> int | None:
        """Reserves a slot for a reward; returns the worker its job is to be leased to, None if there is no room."""

    def release(self) -> None:
        """Gives a slot back: there was no reward to evaluate, or nothing was stored."""

    def begin(self, lease: RewardLease) -> None:
        """Starts a reward in the slot that was reserved for it."""


class CheckpointWriter:
    """Commits the checkpoints of one lease, one after the other.

    Args:
        queue: The job table.
        guard: Hears that the lease was good.
        rewards: Takes over the reward of the scan.
        wake: Called with the kind of a job that was made and waits to be claimed.
    """

    def __init__(self, queue: JobQueue, guard: LeaseGuard, rewards: Handover, wake: Callable[[str], None]) -> None:
        self._queue = queue
        self._guard = guard
        self._rewards = rewards
        self._wake = wake
        self._commit: asyncio.Task[End | None] | None = None
        self._held: Checkpoint | None = None

    @property
    def held(self) -> Checkpoint | None:
        """The checkpoint that isn't stored yet; the database has the job at its stage."""
        return self._held

    def hold(self, checkpoint: Checkpoint) -> None:
        """Keeps a checkpoint until the end of the scan, which stores its results, or until it is flushed."""
        self._held = checkpoint

    def flush_soon(self) -> None:
        """Begins to store what is held; who calls `settled` hears how that went."""
        if self._held and self._commit is None:
            self._commit = asyncio.create_task(self._until_stored(self._held), name="checkpoint")

    async def flush(self) -> None:
        """Stores what is held.

        Raises:
            Fenced: As `write`.
            EcoError: As `write`; it is still held then.
        """
        await self.settled()
        self.flush_soon()
        await self.settled()

    async def write(self, checkpoint: Checkpoint) -> End | None:
        """Commits a checkpoint; without a following stage, the end of the scan. Whoever waits may be cancelled.

        Returns:
            How the scan ended; None if it goes on, or if an earlier try went through.

        Raises:
            Fenced: The job has changed hands, perhaps because the database was down for longer than a lease.
            EcoError: It can't be stored.
        """
        await (self.flush() if checkpoint.following else self.settled())
        if self._held:
            checkpoint = replace(checkpoint, lease=replace(checkpoint.lease, stage=self._held.lease.stage))
        self._commit = asyncio.create_task(self._until_stored(checkpoint), name="checkpoint")
        return await self.settled()

    async def settled(self) -> End | None:
        """Waits for the commit under way, if there is one; returns and raises as `write` does."""
        if (commit := self._commit) is None:
            return None
        await asyncio.wait((commit,))
        self._commit = None
        return commit.result()

    async def abandon(self) -> None:
        """Gives the commit under way up, if there is one."""
        if self._commit:
            await end(self._commit)
            await asyncio.gather(self._commit, return_exceptions=True)

    async def _until_stored(self, checkpoint: Checkpoint) -> End | None:
        in_doubt = False

        async def attempt() -> End | None:
            nonlocal in_doubt
            ended, asked_at = None, time.monotonic()
            try:
                if checkpoint.following:
                    await self._queue.checkpoint(checkpoint)
                else:
                    ended = await self._finish(checkpoint)
            except Fenced:
                # A try that was stored although its answer was lost fences the next one.
                if not in_doubt or not await self._queue.holds_result(checkpoint):
                    raise
            except Exception:
                in_doubt = True
                raise
            self._guard.confirm(asked_at)
            return ended

        ended = await persist(attempt, checkpoint.scan.scan_id, checkpoint.lease.stage)
        self._held = None
        return ended

    async def _finish(self, last: Checkpoint) -> End:
        """Stores the end of the scan; its reward starts here, or is claimed by whoever has room for it."""
        worker_id = self._rewards.reserve()
        try:
            ended = await self._queue.finish(last, worker_id)
        except BaseException:
            if worker_id is not None:
                self._rewards.release()
            raise
        job_id = ended.reward_job_id
        if worker_id is not None and job_id is not None:
            scan = replace(last.scan, version=ended.version, finished_at=ended.finished_at)
            self._rewards.begin(RewardLease(job_id, 1, 1, last.lease.traceparent, scan))
        elif worker_id is not None:
            self._rewards.release()
        elif job_id is not None:
            self._wake(REWARD_KIND)
        return ended
