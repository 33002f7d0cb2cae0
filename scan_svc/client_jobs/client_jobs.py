"""Client jobs, as the service thinks of them. What a kind of them is about is its own package's matter."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import msgspec

from mesh.locale import Locale
from scan_svc.scans import Failure, State

# Steps that every kind has; the others are its own.
UPLOAD, QUEUE, RETRY, DONE = "upload", "queue", "retry", "done"

# Where nobody may read without an address that we sign.
FOLDER = "jobs/"

# How long a file that a job has made is there, at most.
FILE_KEPT_AT_MOST = timedelta(days=1)

Texts = Mapping[Locale, str]


class Kind(StrEnum):
    """What a client job does, as in the job table."""

    BATCH = "batch"
    # Jobs of kind "export" are those of the release before: its workers would take ours for theirs.
    EXPORT = "client_export"
    VIDEO = "video"
    MESSAGE = "message"
    COMPARISON = "comparison"


class Upload(msgspec.Struct, frozen=True):
    """The file a client job is about.

    Attributes:
        object_key: Where it is, or will be.
        content_type: Announced media type.
        size_bytes: Announced size.
        sha256: Announced digest in hex; empty if none was.
        etag: Entity tag of the file that was checked; empty before that.
    """

    object_key: str
    content_type: str
    size_bytes: int
    sha256: str = ""
    etag: str = ""


class File(msgspec.Struct, frozen=True):
    """The file a client job has made.

    Attributes:
        object_key: Where it is.
        size_bytes: Its size.
    """

    object_key: str
    size_bytes: int


class ClientJob(msgspec.Struct, frozen=True, kw_only=True):
    """One client job, as it is at one version. Versions are made as those of scans.

    Attributes:
        kind: Which; a release to come may have more of them than `Kind` names.
        spec: What was asked for, as JSON in the form of its kind.
        result: What came of it, likewise; empty as long as nothing did.
        percent: 0 to 100.
        step: What it is at: one of the steps above, or its kind's own.
        done: So much of `total` is done.
        total: How much there is to do; 0 if that isn't known.
        upload: The file it is about, if its kind wants one.
        file: The file it has made, as long as it is there.
        cost_micro_usd: What models have cost so far.
        behind: Its worker may have shown more than this.
    """

    job_id: str
    user_id: str
    kind: str
    state: State
    version: int
    spec: str
    locale: Locale
    created_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None
    percent: int = 0
    step: str = QUEUE
    done: int = 0
    total: int = 0
    upload: Upload | None = None
    result: str = ""
    file: File | None = None
    cost_micro_usd: int = 0
    error: Failure | None = None
    behind: bool = False


@dataclass(frozen=True, slots=True)
class UploadRequest:
    """A file that is going to be uploaded, as its user announces it.

    Attributes:
        content_type: Media type.
        size_bytes: Its size.
        sha256: Digest in hex; empty if they don't tell.
    """

    content_type: str
    size_bytes: int
    sha256: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRequest:
    """What a user asks for.

    Attributes:
        kind: What is to be done.
        spec: How, in the form of its kind; None if nobody here knows that.
        field: The request's field that says so, for errors.
        upload: The file it is about; None if none was announced.
        request_id: Makes the request idempotent for this user; empty if they gave none.
        payload_hash: Digest of the rest of the request.
        locale: Language of the results.
    """

    user_id: str
    kind: Kind
    spec: object
    field: str
    upload: UploadRequest | None = None
    request_id: str = ""
    payload_hash: bytes = b""
    locale: Locale = Locale.KO


class ClientLease(msgspec.Struct, frozen=True):
    """One client job, held by this worker.

    Attributes:
        job_id: Its job.
        token: What every write of this lease carries.
        attempt: Which try this is since it last came further, from 1.
        worker_id: The worker that holds it.
        traceparent: The trace it was created in; empty if none.
        age: Seconds since it was queued.
        job: What is to be done.
        cursor: What its last checkpoint kept, as JSON; empty before the first.
        group_size: As of scans' leases: how many suspects may run together with it; 0: it isn't suspected.
        stage: The one stage that client jobs have.
    """

    job_id: int
    token: int
    attempt: int
    worker_id: int
    traceparent: str
    age: float
    job: ClientJob
    cursor: str = ""
    group_size: int = 0
    stage: str = "run"

    @property
    def user_id(self) -> str:
        """Whose it is."""
        return self.job.user_id


def folder(job_id: str) -> str:
    """Where all files of a client job are in the bucket."""
    return f"{FOLDER}{job_id}/"


def percent_of(done: int, total: int) -> int:
    """How far somebody is who has done so much; a hundred is for those who have ended."""
    return min(99, 100 * done // total) if total > 0 else 0
