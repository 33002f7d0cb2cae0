"""Batches as a kind of client jobs."""

import asyncpg

from scan_svc.batches.batches import STEPS, BatchResult, BatchSpec
from scan_svc.batches.files import BatchFiles
from scan_svc.batches.row_results import RowResults
from scan_svc.batches.rows import EXTENSIONS, FileLimits
from scan_svc.batches.sources import RowScans
from scan_svc.batches.work import BatchPace, BatchWork
from scan_svc.client_jobs.client_jobs import Kind
from scan_svc.client_jobs.work import JobType, UploadRule
from scan_svc.hidden_scans.feeder import Feeder
from scan_svc.hidden_scans.store import HiddenScanStore
from scan_svc.settings import ScanSettings
from scan_svc.store import ScanStore

# Each holds its rows' addresses, some megabytes, and waits most of the time; of one user three quarters.
_AT_ONCE = 8
_MOST_BYTES = 1 << 30


def batch_type(
    settings: ScanSettings, pool: asyncpg.Pool, row_scans: RowScans, scans: ScanStore, tick_seconds: float
) -> JobType:
    """The kind.

    Args:
        settings: Its limits.
        pool: Connections.
        row_scans: What rows become scans with.
        scans: The scans of all users.
        tick_seconds: How often it is looked whether scans have ended.
    """
    made = HiddenScanStore(pool)
    pace = BatchPace(settings.batch_rows_per_minute, settings.batch_most_rows_per_minute)
    files = BatchFiles(row_scans.bucket, FileLimits(rows=settings.batch_rows))
    return JobType(
        kind=Kind.BATCH,
        work=BatchWork(files, Feeder(made, tick_seconds), row_scans, RowResults(made, scans), pace),
        spec=BatchSpec,
        result=BatchResult,
        steps=STEPS,
        unit="rows",
        upload=UploadRule(EXTENSIONS, _MOST_BYTES),
        capacity=_AT_ONCE,
    )
