"""The scans that clips become, in PostgreSQL."""

from dataclasses import dataclass

import asyncpg

from mesh.postgres import Queries
from scan_svc.client_jobs.client_jobs import ClientJob
from scan_svc.jobs.leases import Fenced
from scan_svc.mirrors.vision import Classification
from scan_svc.rows import to_json
from scan_svc.scans import StageRun
from scan_svc.videos.videos import VideoSpec, scan_id_of

# Longer than a clip may wait or be worked on; what no scan needs by then is removed.
_UNNEEDED_SECONDS = 86_400.0


@dataclass(frozen=True, slots=True)
class VideoScan:
    """The scan that a clip becomes.

    Attributes:
        object_key: Of its photo, which is a frame.
        image_url: Where that can be seen.
        found: What the clip shows.
        run: How that was found, and what it cost.
    """

    object_key: str
    image_url: str
    found: Classification
    run: StageRun


class VideoStore:
    """Their table.

    Args:
        pool: Connections.
    """

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._sql = Queries("scan_svc.videos")

    async def expect_frames(self, job_id: str, object_key: str, image_url: str) -> None:
        """Frames are about to be stored: unless a scan needs them, they go in a day."""
        await self._pool.execute(
            self._sql["expect_frames"], scan_id_of(job_id), object_key, image_url, _UNNEEDED_SECONDS
        )

    async def make(self, job: ClientJob, spec: VideoSpec, new: VideoScan, traceparent: str) -> str:
        """Stores the scan, which has been looked at and goes on to its rules; returns its id. Safe to repeat.

        Raises:
            Fenced: The job was cancelled or deleted.
        """
        place = spec.location
        scan_id = await self._pool.fetchval(
            self._sql["make_scan"], scan_id_of(job.job_id), job.job_id, new.image_url, new.object_key, spec.user_input,
            place.latitude if place else None, place.longitude if place else None, spec.region, job.locale.value,
            traceparent, to_json(new.found), to_json(new.run),
        )  # fmt: skip
        if scan_id is None:
            raise Fenced
        return str(scan_id)
