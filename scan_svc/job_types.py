"""The kinds of client jobs: the one place where each is registered."""

from dataclasses import dataclass

import asyncpg

from mesh.s3.bucket import Bucket
from scan_svc.client_jobs.work import JobType, JobTypes
from scan_svc.pipeline.clients import Peers
from scan_svc.progress.progress import Progress
from scan_svc.settings import ScanSettings
from scan_svc.store import ScanStore


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
    """

    settings: ScanSettings
    pool: asyncpg.Pool
    bucket: Bucket
    scans: ScanStore
    progress: Progress
    peers: Peers


def registered(parts: JobTypeParts) -> JobTypes:
    """The kinds that this release knows, each with its work.

    Args:
        parts: What the works are made of.
    """
    _ = parts
    types: list[JobType] = []
    return JobTypes(types)
