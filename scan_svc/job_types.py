"""The kinds of client jobs: the one place where each is registered."""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import asyncpg

from mesh.s3.bucket import Bucket
from scan_svc.batches.job_type import batch_type
from scan_svc.batches.sources import RowScans
from scan_svc.client_jobs.work import JobType, JobTypes
from scan_svc.comparisons.job_type import comparison_type
from scan_svc.comparisons.store import ComparisonStore
from scan_svc.comparisons.work import ComparisonWork
from scan_svc.exports.contents import ExportContents
from scan_svc.exports.job_type import export_type
from scan_svc.exports.store import ExportStore
from scan_svc.exports.work import ExportWork
from scan_svc.hidden_scans.creation import HiddenScans
from scan_svc.jobs.leases import SCAN_KIND
from scan_svc.pipeline.clients import Peers
from scan_svc.progress.progress import Progress
from scan_svc.reminders.job_type import reminder_type
from scan_svc.settings import ScanSettings
from scan_svc.store import ScanStore
from scan_svc.uploads import Uploads
from scan_svc.videos.job_type import video_type
from scan_svc.videos.store import VideoStore
from scan_svc.videos.work import VideoWork


@dataclass(frozen=True, slots=True)
class JobTypeParts:
    """What the works of client jobs are made of.

    Attributes:
        settings: The service's.
        pool: Connections to PostgreSQL.
        bucket: Photos and files.
        scans: The scans of all users.
        progress: What readers are shown.
        peers: The services that do the work.
        uploads: Photos that are uploaded for scans.
        wake: Wakes the workers, with the kind of job that is due.
        new_id: Makes scans' ids.
    """

    settings: ScanSettings
    pool: asyncpg.Pool
    bucket: Bucket
    scans: ScanStore
    progress: Progress
    peers: Peers
    uploads: Uploads
    wake: Callable[[str], None]
    new_id: Callable[[], str]


def registered(parts: JobTypeParts) -> JobTypes:
    """The kinds that this release knows, each with its work.

    Args:
        parts: What the works are made of.
    """
    remind = reminder_type(parts.settings, parts.pool, parts.scans, parts.peers.rules)
    types: list[JobType] = [batches(parts), comparisons(parts), exports(parts), videos(parts), remind]
    return JobTypes(types)


def batches(parts: JobTypeParts, tick_seconds: float = 1.0) -> JobType:
    """Batches.

    Args:
        parts: What their work is made of.
        tick_seconds: How often it is looked whether their scans have ended.
    """
    scan_due = functools.partial(parts.wake, SCAN_KIND)
    hidden = HiddenScans(parts.scans, parts.uploads, parts.bucket, scan_due, parts.new_id)
    return batch_type(
        parts.settings, parts.pool, RowScans(hidden, parts.uploads, parts.bucket), parts.scans, tick_seconds
    )


def comparisons(parts: JobTypeParts) -> JobType:
    """Comparisons.

    Args:
        parts: What their work is made of.
    """
    now = functools.partial(datetime.now, UTC)
    store = ComparisonStore(parts.pool)
    return comparison_type(ComparisonWork(store, parts.scans.get_many, parts.peers.compared, now))


def videos(parts: JobTypeParts) -> JobType:
    """Clips.

    Args:
        parts: What their work is made of.
    """
    settings, scan_due = parts.settings, functools.partial(parts.wake, SCAN_KIND)
    store, most = VideoStore(parts.pool), settings.video_frames
    now = functools.partial(datetime.now, UTC)
    return video_type(VideoWork(parts.peers.vision, store, settings.cdn_base_url, most, scan_due, now))


def exports(parts: JobTypeParts) -> JobType:
    """The kind of jobs that make files of what is kept of a user."""
    store, bucket, peers = ExportStore(parts.pool), parts.bucket, parts.peers
    contents = ExportContents(store, bucket, peers.character.collection)
    now = functools.partial(datetime.now, UTC)
    return export_type(ExportWork(parts.scans, store, contents, bucket, peers.vision.thumbnail, now))
