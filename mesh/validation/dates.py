"""Dates and times in requests: a proto knows how one is written, not which there are."""

from datetime import UTC, date, datetime
from types import MappingProxyType

from google.protobuf.timestamp_pb2 import Timestamp

from mesh.errors import FieldViolation, InvalidArgument
from mesh.locale import Locale
from mesh.reasons import Reason

_NO_SUCH_DAY = MappingProxyType({Locale.KO: "달력에 없는 날짜예요", Locale.EN: "there is no such day"})
_NO_SUCH_TIME = MappingProxyType({Locale.KO: "있을 수 없는 시각이에요", Locale.EN: "there is no such time"})


def day(text: str, *, field: str) -> date | None:
    """The date in a field, YYYY-MM-DD; None if it is empty.

    Raises:
        InvalidArgument: There is no such day.
    """
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        violation = FieldViolation(field, "date.known", _NO_SUCH_DAY)
        raise InvalidArgument(Reason.INVALID_FIELD, violations=[violation], fields=field) from error


def moment(timestamp: Timestamp, *, field: str) -> datetime:
    """The time in a field, in UTC.

    Raises:
        InvalidArgument: It isn't in the years 1 to 9999. JSON's reader refuses such a one, gRPC's doesn't.
    """
    try:
        return timestamp.ToDatetime(UTC)
    except ValueError as error:
        violation = FieldViolation(field, "timestamp.known", _NO_SUCH_TIME)
        raise InvalidArgument(Reason.INVALID_FIELD, violations=[violation], fields=field) from error
