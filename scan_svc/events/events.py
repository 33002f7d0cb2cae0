"""Events, and places among them."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Self

from mesh.errors import FieldViolation, InvalidArgument
from mesh.locale import Locale
from mesh.reasons import Reason

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_FORM: Final = re.compile(r"(\d{1,9})-(\d{1,18})-(\d{1,18})-(\d{1,18})", re.ASCII)
# 9999-12-31, as far as Python's calendar goes.
_LATEST: Final = 253_402_300_799_999_999
_NOT_A_CURSOR: Final = {
    Locale.KO: "이벤트 스트림에서 받은 커서를 그대로 보내 주세요.",
    Locale.EN: "Send a cursor as an event stream gave it.",
}


@dataclass(frozen=True, slots=True, order=True)
class Cursor:
    """A place in the order of reading: right after an event.

    Attributes:
        log: Of which log; another one begins when a backup is restored.
        clock: The event's place in the order, by transactions.
        id: The event's id, which tells apart those of one place.
        at: When it happened.
    """

    log: int
    clock: int
    id: int
    at: datetime

    @classmethod
    def parse(cls, text: str) -> Self:
        """What `str` gave.

        Raises:
            InvalidArgument: It didn't.
        """
        found = _FORM.fullmatch(text)
        numbers = [int(number) for number in found.groups()] if found else []
        if not numbers or numbers[3] > _LATEST:
            violation = FieldViolation("cursor", "eco2.cursor", _NOT_A_CURSOR)
            raise InvalidArgument(Reason.INVALID_FIELD, violations=[violation], fields="cursor")
        log, clock, event_id, moment = numbers
        return cls(log, clock, event_id, _EPOCH + timedelta(microseconds=moment))

    def __str__(self) -> str:
        moment = (self.at - _EPOCH) // timedelta(microseconds=1)
        return f"{self.log}-{self.clock}-{self.id}-{max(moment, 0)}"


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a job.

    Attributes:
        id: Unique, and higher than those of all that happened to the job before.
        type: What, such as "eco2.scan.stage.succeeded".
        kind: The job's kind, such as "scan".
        subject: What it is about: the scan, of its webhooks and its reward, too; or the job itself.
        at: When, in UTC.
        traceparent: The trace that asked for the job, as W3C's header; empty if there is none.
        data: The rest, by name: job_id, stage, attempt, worker_id, reason, next_time.
        cursor: The place right after it.
    """

    id: int
    type: str
    kind: str
    subject: str
    at: datetime
    traceparent: str
    data: Mapping[str, Any]
    cursor: Cursor


@dataclass(frozen=True, slots=True)
class Page:
    """Events that follow a cursor.

    Attributes:
        events: In order; none if there are none yet.
        cursor: Where the next page goes on.
    """

    events: Sequence[Event]
    cursor: Cursor
