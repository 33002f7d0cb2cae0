"""Photos that are to be removed, and uploads that are needed, in PostgreSQL."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import asyncpg

from mesh.postgres import Queries


@dataclass(frozen=True, slots=True)
class DueRemoval:
    """One photo that is to be removed.

    Attributes:
        scan_id: Whose it was.
        object_key: Where it was uploaded to.
        image_url: Where its clean copy could be seen.
        age: Seconds since its scan ended.
    """

    scan_id: str
    object_key: str
    image_url: str
    age: float


class RemovalStore:
    """The removals that triggers of the tables ask for: `scan_svc/migrations/0016_private_photos.sql`.

    Args:
        pool: Connections.
    """

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._sql = Queries("scan_svc.photo_removal")

    async def claim(self, count: int) -> list[DueRemoval]:
        """Takes up to `count` that are due. Those that aren't `done` are due again: in 15 s, later in an hour."""
        rows = await self._pool.fetch(self._sql["claim"], count)
        return [DueRemoval(str(row["scan_id"]), row["object_key"], row["image_url"], row["age"]) for row in rows]

    async def done(self, scan_ids: Sequence[str], settle_seconds: float) -> None:
        """These were removed; each is due once more when its scan has been over for so long."""
        await self._pool.execute(self._sql["done"], scan_ids, settle_seconds)

    async def needed(self, scan_ids: Collection[str]) -> set[str]:
        """Those of the scans that still need their upload."""
        return {str(row["id"]) for row in await self._pool.fetch(self._sql["needed"], list(scan_ids))}
