"""Dates in requests: a proto's pattern knows how one is written, not how long a month is."""

from datetime import date
from types import MappingProxyType

from mesh.errors import FieldViolation, InvalidArgument
from mesh.locale import Locale
from mesh.reasons import Reason

_NO_SUCH_DAY = MappingProxyType({Locale.KO: "달력에 없는 날짜예요", Locale.EN: "there is no such day"})


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
