"""Scan for older clients. The contract stands in `compat_service.proto`."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from typing import Any

from google.api.httpbody_pb2 import HttpBody

from eco2.compat.v1 import compat_service_pb2 as pb
from eco2.compat.v1 import compat_service_pb2_grpc
from eco2.jobs.v1.job_pb2 import Job
from mesh.errors import NotFound
from mesh.grpc.identity import Caller, caller
from mesh.observability.telemetry import traceparent
from mesh.reasons import Reason
from scan_svc.compat import events, wire
from scan_svc.lifecycle import Lifecycle
from scan_svc.progress.snapshots import Snapshot
from scan_svc.progress.watchers import Watchers


class CompatServicer(compat_service_pb2_grpc.CompatServiceServicer):
    """The service that older clients talk to: ScanService's work in other words.

    Args:
        lifecycle: What users do with their scans.
        watchers: Who watches them.
        read_job: One of a reader's client jobs, as JobsService shows it.
    """

    def __init__(
        self, lifecycle: Lifecycle, watchers: Watchers, read_job: Callable[[str, Caller], Awaitable[Job]]
    ) -> None:
        self._lifecycle = lifecycle
        self._watchers = watchers
        self._read_job = read_job

    async def AnalyzeWaste(self, request: pb.AnalyzeWasteRequest, context: Any) -> pb.AnalyzeWasteResponse:
        """Creates a scan whose photo is to be uploaded."""
        created = await self._lifecycle.create(wire.job(caller(context)), traceparent())
        return wire.analyze_waste_response(created)

    async def CompleteUpload(self, request: pb.CompleteUploadRequest, context: Any) -> pb.CompleteUploadResponse:
        """Queues a scan whose photo has been uploaded."""
        await self._lifecycle.start(caller(context).user_id, wire.scan_id(request.job_id), traceparent())
        return pb.CompleteUploadResponse(status=wire.PROCESSING)

    async def GetWasteStatus(self, request: pb.GetWasteStatusRequest, context: Any) -> pb.WasteStatus:
        """How far a scan is, with its result once it has one."""
        who = caller(context)
        return wire.waste_status(await self._lifecycle.get(who.user_id, wire.scan_id(request.job_id)), who)

    async def GetWasteResult(self, request: pb.GetWasteResultRequest, context: Any) -> pb.WasteResult:
        """A scan's result, if it has one."""
        return wire.waste_result(await self._lifecycle.get(caller(context).user_id, wire.scan_id(request.job_id)))

    async def GetVideo(self, request: pb.GetVideoRequest, context: Any) -> pb.VideoStatus:
        """How far a clip is, with the result of its scan once it has one."""
        who = caller(context)
        clip = await self._read_job(wire.video_id(request.id), who)
        if clip.kind != Job.KIND_VIDEO:
            raise NotFound(Reason.JOB_NOT_FOUND, job_id=request.id)
        return wire.video_status(clip, await self._scan_of(clip, who), who)

    async def _scan_of(self, clip: Job, who: Caller) -> Snapshot | None:
        """The scan that a clip has become; None if it hasn't, or that is gone."""
        if not clip.video_result.scan_id:
            return None
        try:
            return await self._lifecycle.get(who.user_id, clip.video_result.scan_id)
        except NotFound:
            return None

    async def CreateTask(self, request: pb.CreateTaskRequest, context: Any) -> pb.CreateTaskResponse:
        """Creates a scan of a photo at an address."""
        created = await self._lifecycle.create(wire.task(request, caller(context)), traceparent())
        return pb.CreateTaskResponse(task_id=created.scan.scan_id, status=wire.PROCESSING)

    async def StreamTaskProgress(
        self, request: pb.StreamTaskProgressRequest, context: Any
    ) -> AsyncGenerator[HttpBody, None]:
        """A scan's progress until its end, as text."""
        watch = self._watchers.watch(
            wire.scan_id(request.task_id), caller(context).user_id, 0, seconds=context.time_remaining()
        )
        async with aclosing(watch) as changes, aclosing(events.frames(changes, context.last)) as frames:
            async for frame in frames:
                yield HttpBody(content_type=events.CONTENT_TYPE, data=frame)
