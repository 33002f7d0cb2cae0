"""Requests of JobsService to the domain, and client jobs as `eco2.jobs.v1.Job`."""

import hashlib
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import msgspec
from google.protobuf.message import Message

from eco2.jobs.v1 import batch_pb2, comparison_pb2, export_pb2, job_pb2, jobs_service_pb2, message_pb2, video_pb2
from mesh.grpc.identity import Caller
from mesh.grpc.proto_mirror import from_proto, to_proto
from mesh.grpc.status import to_status
from mesh.locale import Locale
from scan_svc import scan_proto
from scan_svc.client_jobs.client_jobs import FILE_KEPT_AT_MOST, ClientJob, JobRequest, Kind, UploadRequest
from scan_svc.client_jobs.files import Address
from scan_svc.client_jobs.messages import message
from scan_svc.client_jobs.work import JobTypes
from scan_svc.scans import State
from scan_svc.uploads import Ticket

# Of each kind its name on the wire, the field of its spec and that of its result, with their messages.
_FORMS: Mapping[Kind, tuple[str, str, type[Message], str, type[Message]]] = MappingProxyType(
    {
        Kind.BATCH: ("KIND_BATCH", "batch", batch_pb2.BatchSpec, "batch_result", batch_pb2.BatchResult),
        Kind.EXPORT: ("KIND_EXPORT", "export", export_pb2.ExportSpec, "export_result", export_pb2.ExportResult),
        Kind.VIDEO: ("KIND_VIDEO", "video", video_pb2.VideoSpec, "video_result", video_pb2.VideoResult),
        Kind.MESSAGE: (
            "KIND_MESSAGE", "reminder", message_pb2.MessageSpec, "message_result", message_pb2.MessageResult,
        ),
        Kind.COMPARISON: (
            "KIND_COMPARISON", "comparison", comparison_pb2.ComparisonSpec, "comparison_result",
            comparison_pb2.ComparisonResult,
        ),
    }
)  # fmt: skip
# A release to come may have more kinds.
_FORMS_BY_NAME = MappingProxyType({kind.value: form for kind, form in _FORMS.items()})
_KINDS = MappingProxyType({form[1]: kind for kind, form in _FORMS.items()})
_BY_NUMBER = MappingProxyType({job_pb2.Job.Kind.Value(form[0]): kind for kind, form in _FORMS.items()})
_STATES = MappingProxyType({state: job_pb2.Job.State.Value(f"STATE_{state}") for state in State})


def job_request(request: jobs_service_pb2.CreateJobRequest, who: Caller, types: JobTypes) -> JobRequest:
    """What a CreateJobRequest asks for.

    Raises:
        Unauthenticated: It came without an identity.
    """
    field = str(request.WhichOneof("spec"))
    kind = _KINDS[field]
    known = types.find(kind)
    upload = request.upload
    return JobRequest(
        user_id=who.user_id,
        kind=kind,
        spec=from_proto(getattr(request, field), known.spec) if known else None,
        field=field,
        upload=UploadRequest(upload.content_type, upload.size_bytes, upload.sha256)
        if request.HasField("upload")
        else None,
        request_id=request.request_id,
        payload_hash=_payload_hash(request),
        locale=who.locale_or(request.locale),
    )


def kind_wanted(request: jobs_service_pb2.ListJobsRequest) -> str:
    """The kind a ListJobsRequest asks for, one that there isn't for scans; empty for all."""
    return _BY_NUMBER[request.kind].value if request.kind in _BY_NUMBER else "scan" if request.kind else ""


def create_job_response(shown: job_pb2.Job, ticket: Ticket | None) -> jobs_service_pb2.CreateJobResponse:
    """The reply to CreateJob."""
    response = jobs_service_pb2.CreateJobResponse(job=shown, status_url=f"/v1/jobs/{shown.job_id}")
    if ticket:
        response.upload.CopyFrom(
            jobs_service_pb2.JobUploadTarget(
                url=ticket.url,
                method="PUT",
                headers=ticket.headers,
                expire_time=scan_proto.timestamp(ticket.expires_at),
            )
        )
    return response


def job(value: ClientJob, types: JobTypes, locale: Locale, address: Address | None) -> job_pb2.Job:
    """A client job in the reader's language, with where its file can be fetched."""
    shown = body(value, types)
    shown.message = message(types.find(value.kind), value.state, value.step, value.done, value.total, locale)
    if address:
        shown.MergeFrom(addressed(address))
    return shown


def addressed(address: Address) -> job_pb2.Job:
    """What a job says of where its file can be fetched."""
    return job_pb2.Job(download_url=address.url, download_expire_time=scan_proto.timestamp(address.expires_at))


def state(job: job_pb2.Job) -> State:
    """The state that a job's message tells."""
    return State(job_pb2.Job.State.Name(job.state).removeprefix("STATE_"))


def body(value: ClientJob, types: JobTypes) -> job_pb2.Job:
    """A client job but for what depends on the reader."""
    form, kind = _FORMS_BY_NAME.get(value.kind), types.find(value.kind)
    wire = job_pb2.Job(
        job_id=value.job_id,
        kind=job_pb2.Job.Kind.Value(form[0]) if form else job_pb2.Job.KIND_UNSPECIFIED,
        state=_STATES[value.state],
        percent=value.percent,
        done=value.done,
        total=value.total,
        unit=kind.unit if kind else "",
        step=value.step,
        error=to_status(value.error.error(), *Locale) if value.error else None,
        size_bytes=value.file.size_bytes if value.file else 0,
        expire_time=scan_proto.timestamp(
            value.finished_at + FILE_KEPT_AT_MOST if value.file and value.finished_at else None
        ),
        cost_micro_usd=value.cost_micro_usd,
        version=value.version,
        locale=value.locale,
        create_time=scan_proto.timestamp(value.created_at),
        start_time=scan_proto.timestamp(value.started_at),
        finish_time=scan_proto.timestamp(value.finished_at),
    )
    if form and kind:
        _fill(wire, form[1], value.spec, kind.spec, form[2])
        _fill(wire, form[3], value.result, kind.result, form[4])
    return wire


def _fill(wire: job_pb2.Job, field: str, stored: str, mirror: type, message_type: type[Message]) -> None:
    """Sets what a kind says of a job; left out if it is stored in another release's form."""
    if not stored:
        return
    try:
        value: Any = msgspec.json.decode(stored, type=mirror)
    except msgspec.MsgspecError:
        return
    getattr(wire, field).CopyFrom(to_proto(value, message_type))


def _payload_hash(request: jobs_service_pb2.CreateJobRequest) -> bytes:
    """Tells a repeated request from another one under the same request_id."""
    content = jobs_service_pb2.CreateJobRequest()
    content.CopyFrom(request)
    content.ClearField("request_id")
    return hashlib.sha256(content.SerializeToString(deterministic=True)).digest()
