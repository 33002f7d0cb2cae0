"""Exports, as the service thinks of them."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class ExportState(StrEnum):
    """How far an export is: mirror of `eco2.scan.v1.Export.State`."""

    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True)
class Export:
    """All that is kept of a user, as one file.

    Attributes:
        export_id: Its id.
        user_id: Whose.
        state: How far it is.
        object_key: Where the file is, or will be.
        size_bytes: Of the file; 0 until it is there.
        created_at: When it was asked for.
        finished_at: When it ended.
    """

    export_id: str
    user_id: str
    state: ExportState
    object_key: str
    size_bytes: int
    created_at: datetime
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class Address:
    """Where a file can be fetched, and until when."""

    url: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class ExportLease:
    """An export that this worker makes.

    Attributes:
        job_id: Its job.
        token: What every write of this lease carries.
        attempt: Which try this is, from 1.
        export_id: Which.
        user_id: Whose.
        account: What Auth keeps, as JSON.
        object_key: Where the file goes.
    """

    job_id: int
    token: int
    attempt: int
    export_id: str
    user_id: str
    account: str
    object_key: str
