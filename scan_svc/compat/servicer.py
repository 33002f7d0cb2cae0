"""Scan for older clients. The contract stands in `compat_service.proto`."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from google.api.httpbody_pb2 import HttpBody

from eco2.compat.v1 import compat_service_pb2 as pb
from eco2.compat.v1 import compat_service_pb2_grpc
from mesh.grpc.identity import caller
from mesh.observability.telemetry import traceparent
from scan_svc.compat import events, wire
from scan_svc.lifecycle import Lifecycle
from scan_svc.progress.watchers import Watchers


class CompatServicer(compat_service_pb2_grpc.CompatServiceServicer):
    """The service that older clients talk to: ScanService's work in other words.

    Args:
        lifecycle: What users do with their scans.
        watchers: Who watches them.
    """

    def __init__(self, lifecycle: Lifecycle, watchers: Watchers) -> None:
        self._lifecycle = lifecycle
        self._watchers = watchers

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
