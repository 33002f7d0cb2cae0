"""Requests of ScanService to the domain, and its replies."""

import hashlib

from eco2.rules.v1 import disposal_pb2
from eco2.scan.v1 import export_pb2, scan_service_pb2
from eco2.vision.v1 import classification_pb2
from mesh.errors import FieldViolation, InvalidArgument
from mesh.grpc.identity import Caller
from mesh.grpc.proto_mirror import to_proto
from mesh.locale import Locale
from mesh.reasons import Reason
from mesh.validation.dates import day
from scan_svc import scan_proto
from scan_svc.client_jobs.client_jobs import FILE_KEPT_AT_MOST
from scan_svc.exports.exports import Address, Export
from scan_svc.lifecycle import Created
from scan_svc.mirrors.places import LatLng
from scan_svc.replies.accuracy import ClassAccuracy
from scan_svc.replies.execution import ReplyOutcome
from scan_svc.scans import EveningRequest, PhotoUpload, Priority, ScanRequest
from scan_svc.schedule import Evening, Scheduled

_PRIORITIES = {
    scan_service_pb2.PRIORITY_UNSPECIFIED: Priority.INTERACTIVE,
    scan_service_pb2.PRIORITY_INTERACTIVE: Priority.INTERACTIVE,
    scan_service_pb2.PRIORITY_BATCH: Priority.BATCH,
}

_NOT_CHOSEN = {
    Locale.KO: "내부 서비스만 정할 수 있어요. 빼고 보내 주세요",
    Locale.EN: "only services inside may choose it: leave it out",
}


def scan_request(
    request: scan_service_pb2.CreateScanRequest, who: Caller, *, chooses_priority: bool = False
) -> ScanRequest:
    """What a CreateScanRequest asks for.

    Raises:
        InvalidArgument: It names a priority, which its caller may not choose.
        Unauthenticated: It came without an identity.
    """
    if request.priority and not chooses_priority:
        violation = FieldViolation("priority", "priority.caller", _NOT_CHOSEN)
        raise InvalidArgument(Reason.INVALID_FIELD, violations=[violation], fields=violation.field)
    upload, place = request.upload, request.location
    return ScanRequest(
        user_id=who.user_id,
        request_id=request.request_id,
        payload_hash=_payload_hash(request),
        photo=PhotoUpload(upload.content_type, upload.size_bytes, upload.sha256)
        if request.HasField("upload")
        else request.image_url,
        user_input=request.user_input,
        location=LatLng(place.latitude, place.longitude) if request.HasField("location") else None,
        region=request.region,
        building=request.building,
        locale=who.locale_or(request.locale),
        callback_url=request.callback_url,
        priority=_PRIORITIES[request.priority],
    )


def create_scan_response(created: Created, who: Caller) -> scan_service_pb2.CreateScanResponse:
    """The reply to CreateScan."""
    value, ticket = created.scan, created.ticket
    response = scan_service_pb2.CreateScanResponse(
        scan=scan_proto.scan(value, who.reads(value.locale)),
        image_url=value.photo.image_url,
        status_url=f"/v1/scans/{value.scan_id}",
        webhook_secret=created.webhook_secret,
    )
    if ticket:
        response.upload.CopyFrom(
            scan_service_pb2.UploadTicket(
                url=ticket.url,
                method="PUT",
                headers=ticket.headers,
                expire_time=scan_proto.timestamp(ticket.expires_at),
            )
        )
    return response


def answer_question_response(replied: ReplyOutcome, who: Caller) -> scan_service_pb2.AnswerQuestionResponse:
    """The reply to AnswerQuestion."""
    return scan_service_pb2.AnswerQuestionResponse(
        scan=scan_proto.scan(replied.scan, who.reads(replied.scan.locale)),
        understood=replied.understood,
        message=replied.message,
    )


def evening_request(request: scan_service_pb2.GetScheduleRequest, who: Caller) -> EveningRequest:
    """What a GetScheduleRequest asks for.

    Raises:
        InvalidArgument: There is no such day.
        Unauthenticated: It came without an identity.
    """
    asked = day(request.date, field="date")
    return EveningRequest(who.user_id, request.region, request.building, asked, who.locale_or(request.locale))


def schedule(evening: Evening) -> scan_service_pb2.GetScheduleResponse:
    """The reply to GetSchedule."""
    return scan_service_pb2.GetScheduleResponse(
        date=evening.day.isoformat(),
        tonight=map(_scheduled, evening.tonight),
        later=map(_scheduled, evening.later),
        unknown=map(_scheduled, evening.unknown),
    )


def _scheduled(one: Scheduled) -> scan_service_pb2.ScheduledScan:
    found = one.scan.results.vision
    return scan_service_pb2.ScheduledScan(
        scan_id=one.scan.scan_id,
        display_name=found.display_name if found else "",
        create_time=scan_proto.timestamp(one.scan.created_at),
        plan=to_proto(one.plan, disposal_pb2.EveningPlan),
    )


def class_accuracy(one: ClassAccuracy) -> scan_service_pb2.ClassAccuracy:
    """How often one class was right."""
    return scan_service_pb2.ClassAccuracy(
        provider=one.provider,
        model=one.model,
        category=to_proto(one.category, classification_pb2.Category),
        confidence_from=one.tenth / 10,
        confidence_to=(one.tenth + 1) / 10,
        answered=one.answered,
        corrected=one.corrected,
        confirmed=one.confirmed,
    )


def _payload_hash(request: scan_service_pb2.CreateScanRequest) -> bytes:
    """Tells a repeated request from another one under the same request_id."""
    content = scan_service_pb2.CreateScanRequest()
    content.CopyFrom(request)
    content.ClearField("request_id")
    return hashlib.sha256(content.SerializeToString(deterministic=True)).digest()


def export(value: Export, address: Address | None) -> export_pb2.Export:
    """An export, with where its file can be fetched."""
    finished = value.finished_at
    return export_pb2.Export(
        export_id=value.export_id,
        state=export_pb2.Export.State.Value(f"STATE_{value.state}"),
        create_time=scan_proto.timestamp(value.created_at),
        finish_time=scan_proto.timestamp(finished),
        size_bytes=value.size_bytes,
        download_url=address.url if address else "",
        download_expire_time=scan_proto.timestamp(address.expires_at) if address else None,
        expire_time=scan_proto.timestamp(finished + FILE_KEPT_AT_MOST) if finished and address else None,
    )
