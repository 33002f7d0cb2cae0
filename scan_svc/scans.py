"""The scan: its states, its version, what is known about it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import IntEnum, StrEnum
from typing import Self

import msgspec

from mesh.errors import KINDS, EcoError, Internal
from mesh.locale import Locale
from mesh.reasons import Reason
from scan_svc.mirrors.places import LatLng
from scan_svc.mirrors.vision import Usage
from scan_svc.results import Results


class State(StrEnum):
    """Where a scan is in its life."""

    AWAITING_UPLOAD = "AWAITING_UPLOAD"
    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"
    EXPIRED = "EXPIRED"

    @property
    def terminal(self) -> bool:
        """Nothing follows by itself."""
        return self in {State.SUCCEEDED, State.FAILED, State.CANCELLED, State.EXPIRED}


class Priority(IntEnum):
    """Which scans are taken first: the greater number, as in the job table."""

    INTERACTIVE = 0  # somebody waits for it
    BATCH = -1


class WebhookShape(StrEnum):
    """In which shape a scan's end is told to its callback_url."""

    SCAN = "SCAN"
    TASK = "TASK"  # as older clients know it


class Step(StrEnum):
    """What a scan is at, as finely as a person is shown. Texts: `scan_svc.messages`."""

    UPLOAD = "upload"
    QUEUE = "queue"
    FETCH = "fetch"
    PREPARE = "prepare"
    CLASSIFY = "classify"
    RULES = "rules"
    ANSWER = "answer"
    PLACES = "places"
    REWARD = "reward"
    RETRY = "retry"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a scan failed: an error that can be stored.

    Attributes:
        kind: Name of the error's class in `mesh.errors`.
        reason: Its reason.
        metadata: What its texts are filled with.
    """

    kind: str
    reason: Reason
    metadata: Mapping[str, str]

    @classmethod
    def of(cls, error: EcoError) -> Self:
        """The failure an error becomes."""
        return cls(type(error).__name__, error.reason, error.metadata)

    def error(self) -> EcoError:
        """The error it was."""
        return KINDS.get(self.kind, Internal).stored(self.reason, self.metadata)


@dataclass(frozen=True, slots=True)
class StageRun:
    """One stage that finished.

    Attributes:
        stage: Which.
        attempts: How often it was tried.
        duration_ms: How long the last try took.
        usage: What a model call cost; None where none was made.
        ended_at: When the last try ended; None where that isn't known.
        worker_id: The worker that made it; 0 where that isn't known.
    """

    stage: str
    attempts: int
    duration_ms: int
    usage: Usage | None = None
    ended_at: datetime | None = None
    worker_id: int = 0


@dataclass(frozen=True, slots=True)
class Photo:
    """The photo as it was announced, or its address.

    Attributes:
        image_url: Where it can be seen; an upload, once it is clean.
        object_key: Its key in our bucket, that of the upload if it was one; empty for a photo elsewhere.
        content_type: Announced media type; empty unless uploaded.
        size_bytes: Announced size; 0 unless uploaded, None if none was announced.
        sha256: Announced digest in hex; empty if none was.
        etag: Entity tag of the upload that was checked; empty before that, and where nobody asks for it.
    """

    image_url: str
    object_key: str = ""
    content_type: str = ""
    size_bytes: int | None = 0
    sha256: str = ""
    etag: str = ""

    @property
    def uploaded(self) -> bool:
        """Whether it came with this scan, and so goes with it."""
        return bool(self.content_type)


class Scan(msgspec.Struct, frozen=True, kw_only=True):
    """One scan, as it is at one version.

    A struct and not a dataclass: it is copied a dozen times on its way, and a copy costs a twentieth.

    A version is the job's fencing token times 10,000, plus its holder's own count of changes. Whoever takes a scan over
    raises the token, so versions grow across workers that never speak to each other.
    """

    scan_id: str
    user_id: str
    state: State
    version: int
    photo: Photo
    user_input: str = ""
    location: LatLng | None = None
    region: str = ""
    building: str = ""
    locale: Locale = Locale.KO
    created_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None
    percent: int = 0
    step: Step = Step.UPLOAD
    results: Results = msgspec.field(default_factory=Results)
    answer_draft: str = ""
    error: Failure | None = None
    stages: tuple[StageRun, ...] = ()
    # Its worker may have shown more than this.
    behind: bool = False
    priority: Priority = Priority.INTERACTIVE
    # The client job that had it made; empty if its user did.
    client_job_id: str = ""
    # Whether that job alone shows it.
    hidden: bool = False

    @property
    def batch(self) -> bool:
        """Whether it gives way to others, because nobody waits for it."""
        return self.priority is Priority.BATCH


@dataclass(frozen=True, slots=True)
class PhotoUpload:
    """A photo that is going to be uploaded, as its user announces it.

    Attributes:
        content_type: Media type.
        size_bytes: Size; None if they don't tell.
        sha256: Digest in hex; empty if they don't tell.
    """

    content_type: str
    size_bytes: int | None
    sha256: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanRequest:
    """What a user asks for.

    Attributes:
        request_id: Makes the request idempotent for this user; empty if they gave none.
        payload_hash: Digest of the rest of the request: tells a repetition from another scan under the same id.
        photo: A photo to come, or the address of one.
        webhook_shape: In which shape its end is told to `callback_url`.
        client_job_id: The client job that has it made; empty if its user does.
        hidden: Whether that job alone shows it: it is in no list, earns nothing, and counts for no accuracy.
    """

    user_id: str
    request_id: str = ""
    payload_hash: bytes = b""
    photo: PhotoUpload | str
    user_input: str = ""
    location: LatLng | None = None
    region: str = ""
    building: str = ""
    locale: Locale = Locale.KO
    callback_url: str = ""
    webhook_shape: WebhookShape = WebhookShape.SCAN
    priority: Priority = Priority.INTERACTIVE
    client_job_id: str = ""
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class NewScan:
    """A scan that is to be stored.

    Attributes:
        scan_id: Its id.
        photo: Its photo.
        request: What its user asks for.
    """

    scan_id: str
    photo: Photo
    request: ScanRequest

    def scan(self, created_at: datetime) -> Scan:
        """The scan it becomes."""
        asked, to_come = self.request, self.photo.uploaded
        return Scan(
            scan_id=self.scan_id,
            user_id=asked.user_id,
            state=State.AWAITING_UPLOAD if to_come else State.QUEUED,
            version=1,
            photo=self.photo,
            user_input=asked.user_input,
            location=asked.location,
            region=asked.region,
            building=asked.building,
            locale=asked.locale,
            created_at=created_at,
            started_at=None if to_come else created_at,
            step=Step.UPLOAD if to_come else Step.QUEUE,
            priority=asked.priority,
            client_job_id=asked.client_job_id,
            hidden=asked.hidden,
        )


@dataclass(frozen=True, slots=True)
class EveningRequest:
    """What a user asks of an evening.

    Attributes:
        user_id: The user.
        region: Where they live; empty for where each scan was made.
        building: The code of the building where they live; empty for where each scan was made, or for `region`.
        day: The day that the evening begins on; None for this evening.
        locale: Language of the texts.
    """

    user_id: str
    region: str
    building: str
    day: date | None
    locale: Locale
