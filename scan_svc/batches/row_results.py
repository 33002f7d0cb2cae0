"""What became of a batch's rows, put together once all of their scans have ended."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from scan_svc.batches import results
from scan_svc.batches.batches import BatchResult
from scan_svc.batches.rows import ResultRow
from scan_svc.batches.sources import Source
from scan_svc.client_jobs.client_jobs import ClientJob
from scan_svc.hidden_scans.store import HiddenScanStore
from scan_svc.scans import Scan, State
from scan_svc.store import ScanStore


@dataclass(frozen=True, slots=True)
class EndedRows:
    """A batch's rows.

    Attributes:
        header: The names of the results' columns.
        rows: In rising order.
        counts: How many ended how.
    """

    header: Sequence[str]
    rows: Sequence[ResultRow]
    counts: BatchResult


class RowResults:
    """Reads them.

    Args:
        made: Knows which scans a batch has made.
        scans: The scans of all users.
    """

    def __init__(self, made: HiddenScanStore, scans: ScanStore) -> None:
        self._made = made
        self._scans = scans

    async def of(self, job: ClientJob, source: Source) -> EndedRows:
        """What became of each row.

        Raises:
            Unavailable: Storage doesn't answer.
        """
        rows, succeeded = await self._scanned(job)
        repeated = 0
        for number in range(1, source.total + 1):
            if number in rows:
                continue
            first, refusal = source.first_of(number), await source.refusal(number)
            if refusal is None and first in rows:
                rows[number] = results.repeated(number, rows[first], job.locale)
                repeated += 1
                if first in succeeded:
                    succeeded.add(number)
            else:
                rows[number] = results.refused(number, refusal, job.locale)
        listed = [self._named(rows[number], source) for number in sorted(rows)]
        counts = BatchResult(source.total, len(succeeded), source.total - len(succeeded), repeated)
        return EndedRows(results.header(job.locale, of_zip=source.named), listed, counts)

    async def _scanned(self, job: ClientJob) -> tuple[dict[int, ResultRow], set[int]]:
        """The rows that were scanned, and the numbers of those that succeeded."""
        rows: dict[int, ResultRow] = {}
        succeeded: set[int] = set()
        async for page in self._made.made(job.job_id):
            for scan_id, scan in (await self._readable(page)).items():
                rows[page[scan_id]] = results.scanned(page[scan_id], scan, job.locale)
                if scan.state is State.SUCCEEDED:
                    succeeded.add(page[scan_id])
        return rows, succeeded

    async def _readable(self, page: Mapping[str, int]) -> Mapping[str, Scan]:
        found = await self._scans.get_many(list(page))
        return {scan_id: scan for scan_id, scan in found.items() if isinstance(scan, Scan)}

    @staticmethod
    def _named(row: ResultRow, source: Source) -> ResultRow:
        return ResultRow(row.number, [source.name(row.number), *row.cells]) if source.named else row
