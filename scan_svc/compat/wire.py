"""Older clients' requests to the domain, and scans in their shapes."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from uuid import UUID

from google.protobuf.timestamp_pb2 import Timestamp
from google.rpc.error_details_pb2 import LocalizedMessage
from google.rpc.status_pb2 import Status

from eco2.compat.v1 import compat_service_pb2 as pb
from eco2.jobs.v1.job_pb2 import Job
from eco2.scan.v1.scan_pb2 import Scan
from eco2.vision.v1.classification_pb2 import Category, Classification
from mesh.errors import FailedPrecondition, NotFound
from mesh.grpc.identity import Caller
from mesh.locale import Locale
from mesh.reasons import Reason
from scan_svc.lifecycle import Created
from scan_svc.messages import message
from scan_svc.mirrors.vision import USER
from scan_svc.progress.snapshots import Snapshot
from scan_svc.scans import PhotoUpload, ScanRequest, State, WebhookShape

PROCESSING = "processing"
_COMPLETED = "completed"
_STATUS: Mapping[State, str] = MappingProxyType(
    {
        State.AWAITING_UPLOAD: "pending",
        State.QUEUED: PROCESSING,
        State.RUNNING: PROCESSING,
        State.SUCCEEDED: _COMPLETED,
        State.FAILED: "failed",
        State.CANCELLED: "failed",
        State.EXPIRED: "failed",
    }
)
_ASK_AGAIN_SECONDS = 1.0


def scan_id(identifier: str) -> str:
    """The scan that a job or a task is.

    Raises:
        NotFound: No scan can have this id.
    """
    try:
        return str(UUID(identifier))
    except ValueError as error:
        raise NotFound(Reason.SCAN_NOT_FOUND, scan_id=identifier) from error


def job(who: Caller) -> ScanRequest:
    """What AnalyzeWaste asks for: a JPEG is to come, of whatever size.

    Raises:
        Unauthenticated: It came without an identity.
    """
    return ScanRequest(user_id=who.user_id, photo=PhotoUpload("image/jpeg", None), locale=who.locale)


def task(request: pb.CreateTaskRequest, who: Caller) -> ScanRequest:
    """What a CreateTaskRequest asks for.

    Raises:
        Unauthenticated: It came without an identity.
    """
    return ScanRequest(
        user_id=who.user_id,
        photo=request.image_url,
        user_input=request.user_input,
        locale=who.locale,
        callback_url=request.callback_url,
        webhook_shape=WebhookShape.TASK,
    )


def analyze_waste_response(created: Created) -> pb.AnalyzeWasteResponse:
    """The reply to AnalyzeWaste."""
    return pb.AnalyzeWasteResponse(
        job_id=created.scan.scan_id,
        upload_url=created.ticket.url if created.ticket else "",
        image_url=created.scan.photo.image_url,
    )


def status(state: State) -> str:
    """An older client's word for a state."""
    return _STATUS[state]


def waste_status(snapshot: Snapshot, who: Caller) -> pb.WasteStatus:
    """How far a scan is, as its reader sees it."""
    scan, locale = Scan.FromString(snapshot.body), who.reads(snapshot.locale)
    return pb.WasteStatus(
        job_id=snapshot.scan_id,
        status=status(snapshot.state),
        progress=scan.progress.percent,
        message=_why(scan, locale) or message(snapshot.state, snapshot.step, locale),
        updated_at=_updated_at(snapshot, scan),
        result=_result(scan) if snapshot.state is State.SUCCEEDED else None,
    )


def video_id(identifier: str) -> str:
    """The job that a clip is.

    Raises:
        NotFound: No job can have this id.
    """
    try:
        return str(UUID(identifier))
    except ValueError as error:
        raise NotFound(Reason.JOB_NOT_FOUND, job_id=identifier) from error


def video_status(clip: Job, snapshot: Snapshot | None, who: Caller) -> pb.VideoStatus:
    """How far a clip is, as its reader sees it.

    Args:
        clip: Its job.
        snapshot: The scan that it has become; None if it hasn't, or that is gone.
        who: The reader.
    """
    shown = pb.VideoStatus(
        id=clip.job_id,
        status=status(State(Job.State.Name(clip.state).removeprefix("STATE_"))),
        progress=clip.percent // 2,
        message=_localized(clip.error, who.locale) or clip.message,
    )
    if clip.state != Job.STATE_SUCCEEDED:
        return shown
    if snapshot is None:
        shown.progress = 100
        return shown
    of_scan = waste_status(snapshot, who)
    shown.status, shown.message = of_scan.status, of_scan.message
    shown.progress = max(shown.progress, of_scan.progress)
    if of_scan.HasField("result"):
        shown.result.CopyFrom(of_scan.result)
        shown.things.extend(_things(Scan.FromString(snapshot.body)))
    return shown


def _things(scan: Scan) -> Iterable[pb.VideoThing]:
    for one in scan.classification.objects:
        frame = one.frame
        yield pb.VideoThing(
            category=_path(one.category),
            display_name=one.display_name,
            image_url=frame.image_url,
            second=frame.time.ToMilliseconds() / 1000,
        )


def waste_result(snapshot: Snapshot) -> pb.WasteResult:
    """A scan's result.

    Raises:
        NotFound: It isn't finished.
        FailedPrecondition: It has ended without one.
    """
    if not snapshot.state.terminal:
        raise NotFound(Reason.RESULT_NOT_READY, retry_after=_ASK_AGAIN_SECONDS, scan_id=snapshot.scan_id)
    if snapshot.state is not State.SUCCEEDED:
        raise FailedPrecondition(Reason.NO_RESULT, scan_id=snapshot.scan_id, state=snapshot.state)
    return _result(Scan.FromString(snapshot.body))


def _result(scan: Scan) -> pb.WasteResult:
    found, category = scan.classification, scan.classification.category
    return pb.WasteResult(
        job_id=scan.scan_id,
        waste_type=category.middle or category.major,
        confidence=_confidence(found),
        feedback=scan.answer.text,
        category=_path(category),
        display_name=found.display_name,
        disposal_steps=scan.rules[0].steps if scan.rules else (),
        image_url=scan.image_url,
        character=scan.reward.character.name,
    )


def _confidence(found: Classification) -> float:
    """How sure a classification is, as a number in any case: who wrote an older client knew of no other."""
    return found.confidence if found.HasField("confidence") else float(found.provider == USER)


def _why(scan: Scan, locale: Locale) -> str:
    """Why a scan has failed; empty if it hasn't."""
    return _localized(scan.error, locale)


def _localized(error: Status, locale: Locale) -> str:
    """An error's text for users; empty if there is none."""
    text = LocalizedMessage()
    texts = (text.message for detail in error.details if detail.Unpack(text) and text.locale == locale)
    return next(texts, "")


def _path(category: Category) -> str:
    """A category's parts with slashes between."""
    return "/".join(filter(None, (category.major, category.middle, category.minor)))


def _updated_at(snapshot: Snapshot, scan: Scan) -> Timestamp:
    """When a scan ended; until then, when it was known to be so, as well as that can be told."""
    if snapshot.state.terminal:
        return scan.finish_time
    if not snapshot.at:
        return scan.start_time if scan.HasField("start_time") else scan.create_time
    moment = Timestamp()
    moment.FromMicroseconds(round(snapshot.at * 1e6))
    return moment
