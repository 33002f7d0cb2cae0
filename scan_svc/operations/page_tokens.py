"""Page tokens: where the next page goes on."""

import base64
import uuid
from datetime import UTC, datetime
from typing import Annotated, TypeVar

import msgspec

from mesh.errors import InvalidArgument
from mesh.reasons import Reason
from scan_svc.jobs.dead_letters import DeadLetter

T = TypeVar("T")

# What PostgreSQL takes.
_Moment = Annotated[datetime, msgspec.Meta(tz=True)]
_JobId = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]


def after_letter(letter: DeadLetter) -> str:
    """The token of the page that follows a letter."""
    return _encode((letter.died_at, letter.job_id))


def letter(token: str) -> tuple[datetime, int] | None:
    """Where the page goes on: died_at and job_id; None for the first one.

    Raises:
        InvalidArgument: The token isn't ours.
    """
    try:
        died_at, job_id = _decode(token, tuple[_Moment, _JobId]) if token else (None, 0)
        return (died_at.astimezone(UTC), job_id) if died_at else None
    except OverflowError as error:
        raise InvalidArgument(Reason.INVALID_PAGE_TOKEN) from error


def after(identifier: uuid.UUID | None) -> str:
    """The token of the page that follows a scan or a webhook; empty if there is none."""
    return _encode(identifier) if identifier else ""


def identifier(token: str) -> uuid.UUID | None:
    """What the page follows; None for the first one.

    Raises:
        InvalidArgument: The token isn't ours.
    """
    return _decode(token, uuid.UUID) if token else None


def _encode(value: object) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(value)).decode()


def _decode(token: str, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(base64.urlsafe_b64decode(token), type=kind)
    except (ValueError, msgspec.DecodeError) as error:
        raise InvalidArgument(Reason.INVALID_PAGE_TOKEN) from error
