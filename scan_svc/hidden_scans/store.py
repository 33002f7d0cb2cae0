"""Hidden scans in PostgreSQL: which a job has made, and which of them have ended."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass

import asyncpg

from mesh.postgres import Queries

_PAGE = 500


@dataclass(frozen=True, slots=True)
class EndedScan:
    """A scan that has ended, or is gone.

    Attributes:
        scan_id: Which.
        cost_micro_usd: What models have cost for it.
    """

    scan_id: str
    cost_micro_usd: int


class HiddenScanStore:
    """The scans that client jobs have made.

    Args:
        pool: Connections.
    """

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._sql = Queries("scan_svc.hidden_scans")

    async def made(self, job_id: str) -> AsyncIterator[Mapping[str, int]]:
        """The scans of a job, page by page: by id the number of the row each was made from."""
        last = None
        while True:
            rows = await self._pool.fetch(self._sql["made"], job_id, last, _PAGE)
            yield {str(row["id"]): row_of(row["request_id"]) for row in rows}
            if len(rows) < _PAGE:
                return
            last = rows[-1]["id"]

    async def ended(self, scan_ids: Sequence[str]) -> list[EndedScan]:
        """Those of the scans that have ended, or are gone."""
        return [EndedScan(str(row["id"]), row["cost_micro_usd"])
                for row in await self._pool.fetch(self._sql["ended"], scan_ids)]  # fmt: skip

    async def open_of_cancelled(self, count: int) -> list[str]:
        """Up to so many scans at work whose jobs were cancelled."""
        return [str(row["id"]) for row in await self._pool.fetch(self._sql["open_of_cancelled"], count)]


def request_of(job_id: str, number: int) -> str:
    """The request_id of the scan that is made from a row: made again, it is the same scan."""
    return f"{job_id}/{number}"


def row_of(request_id: str) -> int:
    """The number of the row that a scan was made from, by its request_id."""
    return int(request_id.rpartition("/")[2])
