"""What an export is to hold, as its user asks for it: mirror of `eco2.jobs.v1.ExportSpec` and `ExportResult`."""

from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from types import MappingProxyType
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from mesh.errors import FieldViolation, InvalidArgument
from mesh.locale import Locale
from mesh.reasons import Reason
from mesh.validation.dates import day

_HOME = "Asia/Seoul"
# Of scans; what is beyond leaves none out, and can't be told in every time zone.
_YEARS = range(1970, 9999)
_TEXTS = MappingProxyType(
    {
        "archive": {
            Locale.KO: "이 형식은 POST /v1/me:export로만 만들 수 있어요",
            Locale.EN: "only POST /v1/me:export makes this format",
        },
        "zone": {Locale.KO: "그런 시간대는 없어요", Locale.EN: "no such time zone"},
        "order": {Locale.KO: "시작일보다 앞설 수 없어요", Locale.EN: "must not be before from_date"},
    }
)


class Format(StrEnum):
    """Mirror of `eco2.jobs.v1.ExportSpec.Format`."""

    UNSPECIFIED = "UNSPECIFIED"
    XLSX = "XLSX"
    ARCHIVE = "ARCHIVE"


@dataclass(frozen=True, slots=True)
class ExportSpec:
    """Mirror of `eco2.jobs.v1.ExportSpec`."""

    format: Format = Format.UNSPECIFIED
    from_date: str = ""
    to_date: str = ""
    time_zone: str = ""
    thumbnails: bool = False

    @property
    def zone(self) -> ZoneInfo:
        """Of the days and of the times in the file."""
        return ZoneInfo(self.time_zone or _HOME)

    @property
    def begin(self) -> datetime | None:
        """Earlier scans are left out; None: none are."""
        return self._midnight(self.from_date, 0)

    @property
    def end(self) -> datetime | None:
        """Scans of this moment and later are left out; None: none are."""
        return self._midnight(self.to_date, 1)

    def includes(self, moment: datetime) -> bool:
        """Whether a scan of this moment belongs to the history."""
        begin, end = self.begin, self.end
        return (begin is None or begin <= moment) and (end is None or moment < end)

    def _midnight(self, text: str, later: int) -> datetime | None:
        """When a day begins, or one so many days later; None if it is empty, or no year that scans are made in."""
        of = date.fromisoformat(text) if text else None
        return datetime.combine(of + timedelta(days=later), time(), self.zone) if of and of.year in _YEARS else None


@dataclass(frozen=True, slots=True)
class ExportResult:
    """Mirror of `eco2.jobs.v1.ExportResult`."""

    scans: int = 0
    photos: int = 0
    media_type: str = ""
    file_name: str = ""


def demanded(spec: ExportSpec) -> ExportSpec:
    """The spec that a user asked for, with what they left out.

    Raises:
        InvalidArgument: There is no such day or time zone, it ends before it begins, or it is all that is kept of the
            user: what Auth keeps of them comes with Auth's own call.
    """
    if spec.format is Format.ARCHIVE:
        raise _refused("format", "export.format", "archive")
    first, last = day(spec.from_date, field="export.from_date"), day(spec.to_date, field="export.to_date")
    if first and last and last < first:
        raise _refused("to_date", "export.to_date", "order")
    whole = replace(spec, format=Format.XLSX, time_zone=spec.time_zone or _HOME)
    try:
        _ = whole.zone
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:  # a folder, a file that is none, a path
        raise _refused("time_zone", "export.time_zone", "zone") from error
    return whole


def _refused(field: str, rule: str, text: str) -> InvalidArgument:
    violation = FieldViolation(f"export.{field}", rule, _TEXTS[text])
    return InvalidArgument(Reason.INVALID_FIELD, violations=[violation], fields=f"export.{field}")
