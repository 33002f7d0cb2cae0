"""What a call raises. All are `Eco2Error`; what the API refuses is an `ApiError` with a reason to decide by.

Eco2Error
├─ ApiError            InvalidArgument, Unauthenticated, PermissionDenied, NotFound, AlreadyExists,
│                      FailedPrecondition, Aborted, ResourceExhausted, Unavailable, DeadlineExceeded, Unimplemented,
│                      Internal
├─ ScanFailed          a scan that ended without an answer
├─ PhotoRefused        what can't be uploaded, found out before it is
├─ UploadRefused       object storage didn't take the photo
├─ Disconnected        nobody answers, or not Eco²; also a ConnectionError
└─ TimedOut            the time that the caller gave is up; also a TimeoutError
"""

from collections.abc import Mapping
from dataclasses import replace

import msgspec

from eco2_client.error_details import Details
from eco2_client.models import Job, Reason, Scan, ScanState
from eco2_client.structs import Status, decode


class Eco2Error(Exception):
    """Anything this client raises on purpose.

    Attributes:
        retry_after: In how many seconds another try makes sense; None if nobody said.
        temporary: Whether another try may succeed. The client has made some by itself.
    """

    retry_after: float | None = None
    temporary: bool = False


class ApiError(Eco2Error):
    """The API refused a call.

    Attributes:
        reason: Why, to decide by: one of `Reason`, or a newer server's; None if a proxy answered in the API's place.
        message: For the user, in the client's language.
        detail: For developers, in English.
        field: The first field that is wrong; empty if none is.
        fields: All of them.
        metadata: By reason, such as {"scan_id": "…"}.
        retry_after: In how many seconds another try makes sense; None if the API didn't say.
        request_id: Of the call, for the API's operators; empty if it has none.
        http_status: As it came.
    """

    def __init__(self, status: Status, details: Details, http_status: int, request_id: str = "") -> None:
        self.reason = details.reason
        self.message = details.message
        self.detail = status.message
        self.fields = details.fields
        self.field = details.fields[0].field if details.fields else details.metadata.get("field", "")
        self.metadata = details.metadata
        self.retry_after = details.retry_after
        self.request_id = request_id
        self.http_status = http_status
        super().__init__(f"{self.reason or f'HTTP {http_status}'}: {self.detail}")

    @staticmethod
    def of(http_status: int, headers: Mapping[str, str], body: bytes, locale: str = "") -> "ApiError":
        """The error that a reply tells. `headers` finds names whatever their case."""
        try:
            status = decode(body, Status)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            status = Status()
        if not status.code:  # not the API's own: a proxy's, in its own words
            text = " ".join(body[:2000].decode(errors="replace").split())[:300]
            status = Status(code=_CODE_OF_HTTP.get(http_status, 13 if http_status >= 500 else 2), message=text)
        details = Details.read(status, locale)
        waiting = headers.get("retry-after", "")
        if details.retry_after is None and waiting.isascii() and waiting.isdigit():
            details = replace(details, retry_after=float(waiting[:9]))
        return _BY_CODE.get(status.code, ApiError)(status, details, http_status, headers.get("x-request-id", ""))


class InvalidArgument(ApiError):
    """The request is wrong: `fields` says where. INVALID_FIELD, INVALID_PAGE_TOKEN, ADDRESS_REFUSED, TAG_UNKNOWN."""


class Unauthenticated(ApiError):
    """No token, or none that is good (UNAUTHENTICATED); or the session is over (SESSION_ENDED): sign in again."""


class PermissionDenied(ApiError):
    """It isn't the caller's to do. BUILDING_NOT_YOURS, SIGN_IN_REFUSED."""


class NotFound(ApiError):
    """It doesn't exist, or isn't the caller's. SCAN_NOT_FOUND, BUILDING_UNKNOWN, EXPORT_NOT_FOUND."""


class AlreadyExists(ApiError):
    """A request_id came with another content before. REQUEST_ID_REUSED."""


class FailedPrecondition(ApiError):
    """The state doesn't allow it. SCAN_STATE, PHOTO_NOT_UPLOADED, PHOTO_MISMATCH, SIGN_IN_EXPIRED."""


class _TemporaryIfTold(ApiError):
    """Another try makes sense if the API says when: a body that is too large never gets through."""

    def __init__(self, status: Status, details: Details, http_status: int, request_id: str = "") -> None:
        super().__init__(status, details, http_status, request_id)
        self.temporary = self.retry_after is not None


class Aborted(_TemporaryIfTold):
    """Another call was faster, or is at work. BUILDING_CHANGED, REPLY_UNDERWAY."""


class ResourceExhausted(_TemporaryIfTold):
    """A limit is reached: `retry_after` says until when, if it passes. RATE_LIMIT, SCAN_BACKLOG, WATCH_LIMIT."""


class Unavailable(ApiError):
    """A service, a store or a provider is down. UNAVAILABLE, PROVIDER_UNAVAILABLE."""

    temporary = True


class DeadlineExceeded(ApiError):
    """The server's own time was up. DEADLINE_EXCEEDED."""

    temporary = True


class Unimplemented(ApiError):
    """This server doesn't have that. NOT_IMPLEMENTED."""


class Internal(ApiError):
    """A fault of the API. INTERNAL."""


class ScanFailed(Eco2Error):
    """A scan ended without an answer.

    Attributes:
        scan: The scan. Its state says whether it failed, was cancelled, or expired since nothing was uploaded.
        reason: Why it failed, such as `Reason.NOT_WASTE`; None if it was cancelled or has expired.
        message: For the user, in the scan's language.
    """

    def __init__(self, scan: Scan) -> None:
        details = Details.read(scan.error or Status(), scan.locale)
        self.scan = scan
        self.reason = details.reason
        self.message = details.message or _UNANSWERED.get(scan.state, {}).get(scan.locale[:2], "")
        self.retry_after = details.retry_after
        super().__init__(f"{self.reason or scan.state.name}: {self.message}")


class JobFailed(Eco2Error):
    """A job ended without what was asked for.

    Attributes:
        job: The job. Its state says whether it failed, was cancelled, or expired since nothing was uploaded.
        reason: Why it failed, such as `Reason.SHEET_NO_ADDRESSES`; None if it was cancelled or has expired.
        message: For the user.
    """

    def __init__(self, job: Job) -> None:
        details = Details.read(job.error or Status(), job.locale)
        self.job = job
        self.reason = details.reason
        self.message = details.message or job.message
        self.retry_after = details.retry_after
        super().__init__(f"{self.reason or job.state.name}: {self.message}")


class NoFile(Eco2Error):
    """A job has no file to fetch: it hasn't made one yet, makes none, or the file was removed."""


class PhotoRefused(Eco2Error, ValueError):
    """What can't be uploaded, found out before it is.

    Attributes:
        reason: `Reason.PHOTO_FORMAT`, `PHOTO_TOO_LARGE` or `PHOTO_EMPTY`.
        message: For the user, in the client's language.
    """

    def __init__(self, reason: Reason, message: str) -> None:
        self.reason = reason
        self.message = message
        super().__init__(f"{reason}: {message}")


class UploadRefused(Eco2Error):
    """Object storage didn't take the file.

    Attributes:
        http_status: What it answered.
    """

    def __init__(self, http_status: int, body: bytes = b"") -> None:
        self.http_status = http_status
        self.temporary = http_status in _TEMPORARY_AT_STORAGE
        text = " ".join(body[:2000].decode(errors="replace").split())[:300]
        super().__init__(f"object storage answered {http_status}: {text}")


class Disconnected(Eco2Error, ConnectionError):
    """Nobody answers at the address, the connection broke, or what answers isn't Eco².

    Attributes:
        sent: Whether the request may have arrived.
    """

    temporary = True

    def __init__(self, text: str, *, sent: bool = True, temporary: bool = True) -> None:
        self.sent = sent
        self.temporary = temporary
        super().__init__(text)


class TimedOut(Eco2Error, TimeoutError):
    """The time that the caller gave is up. A scan goes on meanwhile: `client.watch(scan_id)` takes it up again; so
    does a job, and `client.jobs.wait(job_id)`.

    Attributes:
        scan_id: Of the scan that was waited for; empty if there is none yet.
        job_id: Likewise of the job.
    """

    def __init__(self, text: str, scan_id: str = "", *, job_id: str = "") -> None:
        self.scan_id = scan_id
        self.job_id = job_id
        super().__init__(text)


def session_ended(locale: str = "") -> Unauthenticated:
    """What a client says that was signed out, or whose session has ended before."""
    text = _ENDED.get(locale[:2], _ENDED["en"])
    return Unauthenticated(Status(code=16, message=_ENDED["en"]), Details(Reason.SESSION_ENDED, text), 401)


_BY_CODE: dict[int, type[ApiError]] = {
    3: InvalidArgument,
    4: DeadlineExceeded,
    5: NotFound,
    6: AlreadyExists,
    7: PermissionDenied,
    8: ResourceExhausted,
    9: FailedPrecondition,
    10: Aborted,
    12: Unimplemented,
    13: Internal,
    14: Unavailable,
    16: Unauthenticated,
}
# What stands before the API may answer in its place.
_CODE_OF_HTTP = {400: 3, 401: 16, 403: 7, 404: 5, 408: 4, 413: 8, 429: 8, 501: 12, 502: 14, 503: 14, 504: 4}
# 403: the address was good for five minutes.
_TEMPORARY_AT_STORAGE = frozenset({403, 408, 429, 500, 502, 503, 504})
_ENDED = {"ko": "로그인이 끝났어요. 다시 로그인해 주세요.", "en": "This session has ended. Sign in again."}
_UNANSWERED: Mapping[ScanState, Mapping[str, str]] = {
    ScanState.CANCELLED: {"ko": "취소한 스캔이에요.", "en": "The scan was cancelled."},
    ScanState.EXPIRED: {"ko": "사진이 제때 올라오지 않았어요.", "en": "The photo wasn't uploaded in time."},
}
