"""The worker processes: which are alive, and what becomes of the jobs of those that aren't.

Only the database's clock counts here.
"""

from collections.abc import Collection

import asyncpg

from mesh.postgres import Queries
from scan_svc.rows import FAULT, to_json


class WorkerRegistry:
    """The workers of all processes, with the jobs they hold, of whatever kind.

    Args:
        pool: Connections.
        heartbeat_pool: A connection of its own for what keeps a worker alive, so that it never queues behind a thousand
            scans that all fail at once; `pool` if it isn't given.
        stages: The stages that this process' worker does; empty: all.
    """

    def __init__(
        self, pool: asyncpg.Pool, heartbeat_pool: asyncpg.Pool | None = None, stages: Collection[str] = ()
    ) -> None:
        self._stages = ",".join(sorted(stages))
        self._pool = pool
        self._heartbeat_pool = heartbeat_pool or pool
        self._sql = Queries("scan_svc.jobs")

    async def register(self) -> int:
        """Registers a worker; returns its id."""
        worker_id: int = await self._pool.fetchval(self._sql["register_worker"], self._stages)
        return worker_id

    async def heartbeat(self, worker_id: int) -> bool:
        """Tells that a worker lives; False if it was declared dead and must stop."""
        return await self._heartbeat_pool.fetchval(self._sql["heartbeat"], worker_id) is not None

    async def others_less_busy(self, worker_id: int, at_work: int) -> bool:
        """Whether another worker that does the same stages has at most half as many jobs at work."""
        found: bool = await self._heartbeat_pool.fetchval(
            self._sql["others_less_busy"], worker_id, at_work, self._stages
        )
        return found

    async def deregister(self, worker_id: int) -> None:
        """Removes a worker that holds nothing any more."""
        await self._pool.execute(self._sql["deregister_worker"], worker_id)

    async def rescue_orphans(self, lease_seconds: float) -> list[str]:
        """Takes jobs back from workers that fell silent; returns the scans concerned."""
        await self._heartbeat_pool.execute(self._sql["prune_silent_workers"], lease_seconds)
        return [
            str(row["id"])
            for row in await self._heartbeat_pool.fetch(self._sql["rescue_orphaned_jobs"], to_json(FAULT))
        ]

    async def reconcile(self, worker_id: int, kind: str, running: Collection[int], unheard_seconds: float = 0.0) -> int:
        """Gives back jobs that are leased to a worker without its knowledge: the answer to its claim was lost.

        Args:
            worker_id: Which worker.
            kind: Jobs of which kind.
            running: Those it knows of.
            unheard_seconds: How long ago a job must have been due. One that the end of a scan leases is known here a
                moment later.

        Returns:
            How many there were.
        """
        return len(await self._pool.fetch(self._sql["not_running"], worker_id, kind, list(running), unheard_seconds))
