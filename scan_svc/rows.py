"""Database rows to domain objects and back; shared by the store and the queue."""

from collections.abc import Sequence

import asyncpg
import msgspec

from mesh.locale import Locale
from scan_svc.results import LatLng, Results
from scan_svc.scans import Failure, Photo, Scan, StageRun, State, Step


def scan_from(row: asyncpg.Record) -> Scan:
    """The scan in a row of `scan.scan_detail`."""
    located = row["latitude"] is not None
    return Scan(
        scan_id=str(row["id"]),
        user_id=row["user_id"],
        state=State(row["state"]),
        version=row["version"],
        photo=Photo(row["image_url"], row["object_key"], row["content_type"], row["size_bytes"], row["sha256"]),
        user_input=row["user_input"],
        location=LatLng(row["latitude"], row["longitude"]) if located else None,
        region=row["region"],
        locale=Locale(row["locale"]),
        created_at=row["created_at"],
        started_at=row["started_at"],
        finished_at=row["finished_at"],
        percent=row["percent"],
        step=Step(row["step"]),
        results=msgspec.json.decode(row["outputs"] or "{}", type=Results),
        error=msgspec.json.decode(row["error"], type=Failure) if row["error"] else None,
        stages=tuple(msgspec.json.decode(row["stages"] or "[]", type=Sequence[StageRun])),
    )


def to_json(value: object) -> str:
    """A domain object as the text of a jsonb column."""
    return msgspec.json.encode(value).decode()
