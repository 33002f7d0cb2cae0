"""Requests of ScanService to the domain, and its replies."""

import hashlib

from eco2.scan.v1 import scan_service_pb2
from mesh.grpc.identity import Caller
from scan_svc import scan_proto
from scan_svc.lifecycle import Created
from scan_svc.replies.execution import ReplyOutcome
from scan_svc.results import LatLng
from scan_svc.scans import PhotoUpload, ScanRequest


def scan_request(request: scan_service_pb2.CreateScanRequest, who: Caller) -> ScanRequest:
    """What a CreateScanRequest asks for.

    Raises:
        Unauthenticated: It came without an identity.
    """
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
        locale=who.locale_or(request.locale),
        callback_url=request.callback_url,
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


def _payload_hash(request: scan_service_pb2.CreateScanRequest) -> bytes:
    """Tells a repeated request from another one under the same request_id."""
    content = scan_service_pb2.CreateScanRequest()
    content.CopyFrom(request)
    content.ClearField("request_id")
    return hashlib.sha256(content.SerializeToString(deterministic=True)).digest()
