"""Database rows to domain objects and back; shared by the store and the queue."""

from collections.abc import Callable, Sequence
from typing import TypeVar

import asyncpg
import msgspec
import structlog

from mesh.errors import Internal
from mesh.locale import Locale
from mesh.reasons import Reason
from scan_svc.mirrors.places import LatLng
from scan_svc.results import Results
from scan_svc.scans import Failure, Photo, Priority, Scan, StageRun, State, Step

_log = structlog.get_logger("rows")

T = TypeVar("T")

# The size of an upload for which none was announced; the table wants a number.
UNANNOUNCED = -1
# A fault of ours, in nobody's trace.
FAULT = Failure.of(Internal(Reason.INTERNAL, trace_id=""))


def scan_from(row: asyncpg.Record) -> Scan:
    """The scan in a row of `scan.scan_detail`."""
    located = row["latitude"] is not None
    return Scan(
        scan_id=str(row["id"]),
        user_id=row["user_id"],
        state=State(row["state"]),
        version=row["version"],
        photo=_photo(row),
        user_input=row["user_input"],
        location=LatLng(row["latitude"], row["longitude"]) if located else None,
        region=row["region"],
        building=row["building"],
        locale=Locale(row["locale"]),
        created_at=row["created_at"],
        started_at=row["started_at"],
        finished_at=row["finished_at"],
        percent=row["percent"],
        step=Step(row["step"]),
        results=msgspec.json.decode(row["outputs"] or "{}", type=Results),
        error=failure_from(row["error"]) if row["error"] else None,
        stages=tuple(msgspec.json.decode(row["stages"] or "[]", type=Sequence[StageRun])),
        behind=row.get("behind", False),
        priority=Priority(row.get("priority", Priority.INTERACTIVE)),
        client_job_id=str(row.get("client_job_id") or ""),
        hidden=row.get("hidden", False),
    )


def _photo(row: asyncpg.Record) -> Photo:
    etag = row.get("etag", "")  # asked for by those who look at the photo
    size = row["size_bytes"] if row["size_bytes"] != UNANNOUNCED else None
    return Photo(row["image_url"], row["object_key"], row["content_type"], size, row["sha256"], etag)


def failure_from(text: str) -> Failure:
    """A stored failure; one whose reason only a newer release knows is a fault like any other here."""
    try:
        return msgspec.json.decode(text, type=Failure)
    except msgspec.ValidationError:
        return FAULT


def readable(
    rows: Sequence[asyncpg.Record], read: Callable[[asyncpg.Record], T]
) -> tuple[list[T], list[asyncpg.Record]]:
    """Reads rows one by one: while releases change, one may hold what this one doesn't know.

    Args:
        rows: Any.
        read: Makes something of one; whatever it raises concerns that one alone.

    Returns:
        What was read, and the rows that couldn't be, which are logged.
    """
    found, unreadable = [], []
    for row in rows:
        try:
            found.append(read(row))
        except Exception as error:  # without its frames, which hold the row: a user's words, a webhook's secret
            _log.error("row can't be read", id=str(row["id"]), error=repr(error))
            unreadable.append(row)
    return found, unreadable


def to_json(value: object) -> str:
    """A domain object as the text of a jsonb column."""
    return msgspec.json.encode(value).decode()
