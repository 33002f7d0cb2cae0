"""How long what is over is kept."""

import asyncpg
import structlog

from mesh.postgres import Queries

_log = structlog.get_logger("retention")

_BATCH = 500


class Retention:
    """Finished scans, what deleted ones left for billing, webhook endpoints without scans, and logs by month.

    Their photos go with them, if the bucket's own lifecycle hasn't removed them long before.

    Args:
        pool: Connections.
        days: How long they are kept.
        batch: How many are removed in one transaction: few, so that nobody waits behind it.
    """

    def __init__(self, pool: asyncpg.Pool, days: int, batch: int = _BATCH) -> None:
        self._pool = pool
        self._sql = Queries("scan_svc.jobs")
        self._days = days
        self._batch = batch

    async def forget_old(self) -> None:
        """Removes everything that is older than the retention."""
        await self._turn_months()
        scans = await self._forget("forget_scans")
        tombstones = await self._forget("forget_tombstones")
        await self._forget_unused_endpoints()
        await self._pool.execute(self._sql["forget_reply_costs"])
        if scans or tombstones:
            _log.info("old scans forgotten", scans=scans, tombstones=tombstones)

    async def _turn_months(self) -> None:
        """Makes the logs' next months, and drops those that are wholly past the retention."""
        await self._pool.execute(self._sql["make_months"])
        try:
            dropped = [name for (name,) in await self._pool.fetch(self._sql["drop_months"], self._days)]
        except asyncpg.LockNotAvailableError:
            _log.info("months of logs not dropped yet: they are being read")
            return
        if dropped:
            _log.info("months of logs dropped", tables=dropped)

    async def _forget_unused_endpoints(self) -> None:
        """Removes addresses and secrets that no scan has any more."""
        while True:
            async with self._pool.acquire() as connection, connection.transaction():
                unused = await connection.fetch(self._sql["lock_unused_endpoints"], self._batch)
                keys = [row["user_id"] for row in unused], [row["url"] for row in unused]
                await connection.execute(self._sql["forget_unused_endpoints"], *keys)
            if len(unused) < self._batch:
                return

    async def _forget(self, query: str) -> int:
        forgotten = 0
        while True:
            status = await self._pool.execute(self._sql[query], self._days, self._batch)
            removed = int(status.removeprefix("DELETE "))
            forgotten += removed
            if removed == 0:
                return forgotten
