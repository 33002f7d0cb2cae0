"""Scan over gRPC: one photo on its way from a phone to an answer. The contract stands in `scan_service.proto`."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from google.protobuf.empty_pb2 import Empty

from eco2.scan.v1 import scan_service_pb2 as pb
from eco2.scan.v1 import scan_service_pb2_grpc
from eco2.scan.v1.export_pb2 import Export
from eco2.scan.v1.scan_pb2 import Scan
from mesh.grpc.access import chooses_priority
from mesh.grpc.encoded import Encoded
from mesh.grpc.identity import caller
from mesh.grpc.limits import CallLimit
from mesh.observability.telemetry import traceparent
from scan_svc import scan_proto, wire
from scan_svc.exports.service import Exports
from scan_svc.lifecycle import Lifecycle
from scan_svc.progress import wire as progress_wire
from scan_svc.progress.watchers import Watchers
from scan_svc.replies.accuracy import AccuracyReader
from scan_svc.replies.service import Replies
from scan_svc.schedule import EveningSchedule
from scan_svc.user_data import UserData


class ScanServicer(scan_service_pb2_grpc.ScanServiceServicer):
    """The service phones talk to.

    Args:
        lifecycle: What users do with their scans.
        replies: What they reply to answers.
        watchers: Who watches them.
        schedule: What they can put out this evening.
        accuracy: How often classifiers were right.
        exports: All of that as one file.
        user_data: All that is kept of a user.
        calls: The calls at work; those that wait for a change aren't counted.
    """

    def __init__(
        self,
        lifecycle: Lifecycle,
        replies: Replies,
        watchers: Watchers,
        schedule: EveningSchedule,
        accuracy: AccuracyReader,
        exports: Exports,
        user_data: UserData,
        calls: CallLimit,
    ) -> None:
        self._lifecycle = lifecycle
        self._replies = replies
        self._watchers = watchers
        self._schedule = schedule
        self._accuracy = accuracy
        self._exports = exports
        self._user_data = user_data
        self._calls = calls

    async def CreateScan(self, request: pb.CreateScanRequest, context: Any) -> pb.CreateScanResponse:
        """Creates a scan, from an upload to come or an address."""
        who = caller(context)
        asked = wire.scan_request(request, who, chooses_priority=chooses_priority(context.auth_context()))
        created = await self._lifecycle.create(asked, traceparent())
        return wire.create_scan_response(created, who)

    async def StartScan(self, request: pb.StartScanRequest, context: Any) -> Scan:
        """Queues a scan whose photo has been uploaded."""
        who = caller(context)
        scan = await self._lifecycle.start(who.user_id, scan_proto.canonical(request.scan_id), traceparent())
        return scan_proto.scan(scan, who.reads(scan.locale))

    async def GetScan(self, request: pb.GetScanRequest, context: Any) -> Encoded:  # type: ignore[override]
        """The scan as it is now, or once it has changed."""
        who = caller(context)
        if request.HasField("wait"):
            seconds = progress_wire.waiting_time(request, context.time_remaining())
            with self._calls.aside():
                scan = await self._watchers.newer(
                    scan_proto.canonical(request.scan_id), who.user_id, request.after_version, seconds
                )
        else:
            scan = await self._lifecycle.get(who.user_id, scan_proto.canonical(request.scan_id))
        return progress_wire.shown(scan, who, self._lifecycle.expected_wait(scan))

    async def WatchScan(self, request: pb.WatchScanRequest, context: Any) -> AsyncGenerator[Encoded, None]:  # type: ignore[override]
        """The scan's progress until its end."""
        who = caller(context)
        watch = self._watchers.watch(
            scan_proto.canonical(request.scan_id), who.user_id, request.after_version, seconds=context.time_remaining()
        )
        async with aclosing(watch) as events:
            async for event in events:
                if event.last:
                    context.last()
                yield progress_wire.watch_event(event, who)

    async def ListScans(self, request: pb.ListScansRequest, context: Any) -> pb.ListScansResponse:
        """The caller's history, newest first."""
        who = caller(context)
        scans, following = await self._lifecycle.page(who.user_id, request.page_size, request.page_token)
        return pb.ListScansResponse(
            scans=[scan_proto.scan(scan, who.reads(scan.locale)) for scan in scans], next_page_token=following
        )

    async def GetSchedule(self, request: pb.GetScheduleRequest, context: Any) -> pb.GetScheduleResponse:
        """What of the caller's recent scans can be put out in an evening."""
        return wire.schedule(await self._schedule.evening(wire.evening_request(request, caller(context))))

    async def MarkPutOut(self, request: pb.MarkPutOutRequest, context: Any) -> Empty:
        """Leaves a scan out of the schedule from now on."""
        await self._schedule.mark_put_out(caller(context).user_id, scan_proto.canonical(request.scan_id))
        return Empty()

    async def CancelScan(self, request: pb.CancelScanRequest, context: Any) -> Scan:
        """Stops a scan."""
        who = caller(context)
        scan = await self._lifecycle.cancel(who.user_id, scan_proto.canonical(request.scan_id))
        return scan_proto.scan(scan, who.reads(scan.locale))

    async def AnswerQuestion(self, request: pb.AnswerQuestionRequest, context: Any) -> pb.AnswerQuestionResponse:
        """Makes an answer more precise by what its user replied, or corrects it."""
        who = caller(context)
        seconds = context.time_remaining()
        replied = await self._replies.answer(
            who.user_id,
            scan_proto.canonical(request.scan_id),
            request.reply,
            request.request_id,
            seconds,
            may_learn=request.may_learn,
        )
        return wire.answer_question_response(replied, who)

    async def GetAccuracy(self, request: pb.GetAccuracyRequest, context: Any) -> pb.GetAccuracyResponse:
        """How often the classifiers were right, for anybody who is signed in."""
        _ = caller(context).user_id
        classes = await self._accuracy.read(request.provider)
        return pb.GetAccuracyResponse(classes=map(wire.class_accuracy, classes))

    async def DeleteScan(self, request: pb.DeleteScanRequest, context: Any) -> Empty:
        """Removes a scan with everything known about it."""
        who = caller(context)
        await self._lifecycle.delete(who.user_id, scan_proto.canonical(request.scan_id))
        return Empty()

    async def GetExport(self, request: pb.GetExportRequest, context: Any) -> Export:
        """How far an export is, and where its file can be fetched."""
        found = await self._exports.get(caller(context).user_id, scan_proto.canonical(request.export_id))
        return wire.export(found, self._exports.address(found))

    async def CreateExport(self, request: pb.CreateExportRequest, context: Any) -> Export:
        """Begins an export; Auth calls this."""
        return wire.export(await self._exports.create(request.user_id, request.account, traceparent()), None)

    async def TransferScans(self, request: pb.TransferScansRequest, context: Any) -> pb.TransferScansResponse:
        """Gives a guest's scans to who they are; Auth calls this."""
        done = await self._user_data.transfer(request.from_user_id, request.to_user_id)
        return pb.TransferScansResponse(done=done)

    async def EraseScans(self, request: pb.EraseScansRequest, context: Any) -> pb.EraseScansResponse:
        """Removes all that is kept of a user; Auth calls this."""
        return pb.EraseScansResponse(done=await self._user_data.erase(request.user_id))
