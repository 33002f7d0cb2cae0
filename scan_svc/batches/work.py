"""The work of a batch: its file is read, its rows are fed to the queue, and a sheet with the results is written."""

from dataclasses import dataclass, replace

from mesh.errors import FieldViolation, InvalidArgument
from mesh.locale import Locale
from mesh.reasons import Reason
from scan_svc.batches.batches import READ, SCAN, WRITE, BatchSpec
from scan_svc.batches.files import BatchFiles, result_extension
from scan_svc.batches.row_results import RowResults
from scan_svc.batches.sources import RowScans, source_of
from scan_svc.client_jobs.client_jobs import File
from scan_svc.client_jobs.work import Result, Task
from scan_svc.hidden_scans.feeder import Feeder, Pace


@dataclass(frozen=True, slots=True)
class BatchPace:
    """How fast batches go.

    Attributes:
        usual: Rows a minute of a batch that asks for nothing else.
        most: That one may ask for.
    """

    usual: int
    most: int


class BatchWork:
    """Does batches.

    Args:
        files: Reads and writes their files.
        feeder: Has their scans made, at a pace.
        row_scans: What rows become scans with.
        ended: What became of rows.
        pace: How fast.
    """

    def __init__(
        self, files: BatchFiles, feeder: Feeder, row_scans: RowScans, ended: RowResults, pace: BatchPace
    ) -> None:
        self._files = files
        self._feeder = feeder
        self._row_scans = row_scans
        self._ended = ended
        self._pace = pace

    async def prepare(self, user_id: str, spec: BatchSpec) -> BatchSpec:
        """Refuses a pace that is more than one may ask for; fills in the usual one.

        Raises:
            InvalidArgument: INVALID_FIELD.
        """
        most = self._pace.most
        if spec.rows_per_minute > most:
            texts = {Locale.KO: f"{most} 이하여야 해요", Locale.EN: f"must be at most {most}"}
            violation = FieldViolation("batch.rows_per_minute", "batch.rows_per_minute", texts)
            raise InvalidArgument(Reason.INVALID_FIELD, violations=[violation], fields=violation.field)
        return replace(spec, rows_per_minute=spec.rows_per_minute or min(self._pace.usual, most))

    async def run(self, task: Task) -> Result:
        """Does one, from the start or from where it was.

        Raises:
            InvalidArgument: SHEET_…: its file can't be used.
            Unavailable: A store doesn't answer.
        """
        job, spec, upload = task.job, task.spec, task.job.upload
        if upload is None:
            raise InvalidArgument(Reason.SHEET_EMPTY)
        await task.report(READ)
        contents = await self._files.read(upload)
        source = source_of(job, spec, contents, self._row_scans)
        cursor = await self._feeder.feed(task, SCAN, source.total, source.make, Pace.of(spec.rows_per_minute))
        await task.report(WRITE, source.total, source.total)
        ended = await self._ended.of(job, source)
        key = task.file_key(result_extension(upload))
        size = await self._files.write(upload, ended.header, ended.rows, key)
        return Result(ended.counts, File(key, size), cursor.cost_micro_usd)
