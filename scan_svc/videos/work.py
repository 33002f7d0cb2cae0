"""What a worker does with a clip: has its frames taken out, looks at each, and makes a scan of what they show.

Each frame costs a model call. What one shows is stored before the next is asked about, so that a worker that dies takes
no more than the call under way with it; and that one's answer is in the classifier's cache.
"""

import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from datetime import datetime, timedelta
from typing import Any, Protocol

import msgspec
from msgspec.structs import replace

from mesh.errors import EcoError, NotFound
from mesh.observability.telemetry import traceparent
from mesh.reasons import Reason
from mesh.s3.photo_keys import frame_key
from scan_svc.client_jobs.client_jobs import ClientJob
from scan_svc.client_jobs.work import Result, Task
from scan_svc.mirrors.vision import Classification, Usage, VideoFrame
from scan_svc.pipeline.retries import PERMANENT
from scan_svc.pipeline.stages import VISION
from scan_svc.scans import Failure, NewScan, Photo, Scan, ScanRequest, StageRun, Step
from scan_svc.videos.store import VideoScan, VideoStore
from scan_svc.videos.videos import FRAME, LOOK, SCAN, Look, Progress, StoredFrame, VideoResult, VideoSpec, combined
from scan_svc.videos.videos import scan_id_of as scan_of

_EXTRACT_SECONDS = 180.0  # another clip may be before it
_LOOK_SECONDS = 60.0


class Vision(Protocol):
    """The Vision service; `scan_svc.pipeline.clients.VisionPeer`."""

    def frames(
        self, clip: tuple[str, str], scan_id: str, most: int, user_id: str, deadline: float
    ) -> AsyncGenerator[tuple[tuple[str, timedelta], ...] | None]:
        """Yields None whenever it has come further, then the key and the time of each frame."""

    def classify(self, scan: Scan, deadline: float) -> AsyncGenerator[Step | Usage | Classification, None]:
        """The steps as they begin, what it cost, then the classification."""


class VideoWork:
    """Clips.

    Args:
        vision: Takes frames out, and looks at them.
        store: Where scans are made.
        cdn_base_url: Where clean photos can be seen.
        most_frames: How many frames of one clip are paid for.
        scan_due: Called when there is a scan to claim.
        clock: The time.
    """

    def __init__(
        self,
        vision: Vision,
        store: VideoStore,
        cdn_base_url: str,
        most_frames: int,
        scan_due: Callable[[], None],
        clock: Callable[[], datetime],
    ) -> None:
        self._vision = vision
        self._store = store
        self._cdn_base_url = cdn_base_url.rstrip("/")
        self._most_frames = most_frames
        self._scan_due = scan_due
        self._clock = clock

    async def prepare(self, user_id: str, spec: Any) -> object:
        """All there is to check is in the contract."""
        return spec

    async def run(self, task: Task) -> Result:
        """Looks at a clip, from the start or from the last frame that was looked at.

        Raises:
            EcoError: The clip is refused, nothing in it can be told, or a service is away.
        """
        began = time.monotonic()
        progress = await self._progress(task)
        total = len(progress.frames)
        while (at := len(progress.looks)) < total:
            await task.report(FRAME, at, total)
            look = await self._look(task, progress.frames[at])
            progress = replace(progress, looks=(*progress.looks, look))
            await task.checkpoint(progress, at + 1, total, _cost(progress))
        await task.report(SCAN, total, total)
        return await self._finished(task, progress, round((time.monotonic() - began) * 1000))

    async def _progress(self, task: Task) -> Progress:
        """How far the clip is; its frames are taken out first, if they aren't yet."""
        if task.cursor:
            return msgspec.convert(task.cursor, Progress)
        await task.report(LOOK)
        job, scan_id = task.job, scan_of(task.job.job_id)
        if job.upload is None:
            raise NotFound(Reason.VIDEO_NOT_FOUND, object_key="")
        first = frame_key(scan_id, 0)
        await self._store.expect_frames(job.job_id, first, self._address(first))
        clip = job.upload.object_key, job.upload.etag
        frames = self._vision.frames(clip, scan_id, self._most_frames, job.user_id, _EXTRACT_SECONDS)
        async with aclosing(frames) as events:
            async for event in events:
                if event is not None:
                    progress = Progress(tuple(StoredFrame(key, moment) for key, moment in event))
                    await task.checkpoint(progress, 0, len(event))
                    return progress
                await task.report(LOOK)
        raise AssertionError("Vision ended without frames")

    async def _look(self, task: Task, frame: StoredFrame) -> Look:
        """What a frame shows. That it shows nothing is an answer, and was paid for; that nobody can tell now isn't."""
        usage = None
        try:
            async with aclosing(self._vision.classify(self._as_scan(task, frame), _LOOK_SECONDS)) as events:
                async for event in events:
                    if isinstance(event, Classification):
                        return Look(event, usage=usage)
                    if isinstance(event, Usage):
                        usage = event
        except EcoError as error:
            if not isinstance(error, PERMANENT):
                raise
            return Look(failure=Failure.of(error), usage=Usage.of_failure(error.metadata))
        raise AssertionError("Vision ended without a result")

    async def _finished(self, task: Task, progress: Progress, duration_ms: int) -> Result:
        frames = self._shown(progress)
        looks = [(frame, look.found) for frame, look in zip(frames, progress.looks, strict=True) if look.found]
        if not looks:
            raise next(look.failure for look in progress.looks if look.failure).error()
        found, frame = combined(looks)
        run = StageRun(VISION, 1, duration_ms, progress.usage, self._clock())
        key = progress.frames[frame.index].object_key
        scan_id = await self._store.make(
            task.job, task.spec, VideoScan(key, frame.image_url, found, run), traceparent()
        )
        self._scan_due()
        return Result(VideoResult(scan_id, frames), cost_micro_usd=_cost(progress))

    def _shown(self, progress: Progress) -> tuple[VideoFrame, ...]:
        return tuple(
            VideoFrame(index, frame.time, self._address(frame.object_key))
            for index, frame in enumerate(progress.frames)
        )

    def _as_scan(self, task: Task, frame: StoredFrame) -> Scan:
        """What Vision is asked about a photo with."""
        job: ClientJob = task.job
        spec: VideoSpec = task.spec
        photo = Photo(self._address(frame.object_key), frame.object_key)
        request = ScanRequest(
            user_id=job.user_id,
            photo=photo.image_url,
            user_input=spec.user_input,
            locale=job.locale,
            region=spec.region,
        )
        return NewScan(scan_of(job.job_id), photo, request).scan(self._clock())

    def _address(self, key: str) -> str:
        return f"{self._cdn_base_url}/{key}"


def _cost(progress: Progress) -> int:
    return progress.usage.cost_micro_usd if progress.usage else 0
