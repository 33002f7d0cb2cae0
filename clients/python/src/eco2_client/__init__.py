"""Eco²: photograph a piece of waste; know what it is, how to dispose of it where you live, and where to take it.

    async with AsyncClient("https://api.eco2.app", locale="en") as client:
        async for event in client.scan("can.jpg", location=(37.56, 126.91)):
            ...

`Client` is the same without `async` and `await`.
"""

from eco2_client._async.client import AsyncClient
from eco2_client._async.scanning import AsyncScanStream
from eco2_client._sync.client import Client
from eco2_client._sync.scanning import ScanStream
from eco2_client.credentials import Credentials
from eco2_client.error_details import FieldViolation
from eco2_client.errors import (
    Aborted,
    AlreadyExists,
    ApiError,
    DeadlineExceeded,
    Disconnected,
    Eco2Error,
    FailedPrecondition,
    Internal,
    InvalidArgument,
    JobFailed,
    NoFile,
    NotFound,
    PermissionDenied,
    PhotoRefused,
    ResourceExhausted,
    ScanFailed,
    TimedOut,
    Unauthenticated,
    Unavailable,
    Unimplemented,
    UploadRefused,
)
from eco2_client.events import Accepted, AnswerText, Classified, Finished, Progress, ScanEvent
from eco2_client.models import BatchSpec, ExportSpec, Job, JobKind, JobState, Reason, Scan, ScanState, VideoSpec
from eco2_client.photos import Photo
from eco2_client.sign_in import SignIn
from eco2_client.version import __version__

__all__ = [
    "Aborted",
    "Accepted",
    "AlreadyExists",
    "AnswerText",
    "ApiError",
    "AsyncClient",
    "AsyncScanStream",
    "BatchSpec",
    "Classified",
    "Client",
    "Credentials",
    "DeadlineExceeded",
    "Disconnected",
    "Eco2Error",
    "ExportSpec",
    "FailedPrecondition",
    "FieldViolation",
    "Finished",
    "Internal",
    "InvalidArgument",
    "Job",
    "JobFailed",
    "JobKind",
    "JobState",
    "NoFile",
    "NotFound",
    "PermissionDenied",
    "Photo",
    "PhotoRefused",
    "Progress",
    "Reason",
    "ResourceExhausted",
    "Scan",
    "ScanEvent",
    "ScanFailed",
    "ScanState",
    "ScanStream",
    "SignIn",
    "TimedOut",
    "Unauthenticated",
    "Unavailable",
    "Unimplemented",
    "UploadRefused",
    "VideoSpec",
    "__version__",
]
