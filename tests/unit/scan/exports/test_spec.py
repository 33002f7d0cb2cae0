"""What an export is asked to hold."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from eco2.jobs.v1 import export_pb2
from mesh.errors import InvalidArgument
from mesh.grpc.proto_mirror import mismatches
from scan_svc.exports.spec import ExportResult, ExportSpec, Format, demanded


def test_mirrors_have_the_fields_of_their_messages() -> None:
    """What one of them lacks is lost on the way."""
    assert mismatches(ExportSpec, export_pb2.ExportSpec) == set()
    assert mismatches(ExportResult, export_pb2.ExportResult) == set()
    prefix = "FORMAT_"
    assert {name.removeprefix(prefix) for name in export_pb2.ExportSpec.Format.DESCRIPTOR.values_by_name} == set(Format)


def test_what_is_left_out_is_the_whole_history_at_home() -> None:
    """As a spreadsheet."""
    spec = demanded(ExportSpec())
    assert (spec.format, spec.time_zone, spec.begin, spec.end) == (Format.XLSX, "Asia/Seoul", None, None)
    assert spec.includes(datetime.now(UTC))


def test_a_day_is_as_long_as_its_zone_makes_it() -> None:
    """When clocks change one has 25 hours."""
    spec = demanded(ExportSpec(from_date="2026-10-25", to_date="2026-10-25", time_zone="Europe/Berlin"))
    assert spec.begin == datetime(2026, 10, 24, 22, tzinfo=UTC)
    assert spec.end == datetime(2026, 10, 25, 23, tzinfo=UTC)


@pytest.mark.parametrize("zone", ["Asia/Seoul", "Pacific/Kiritimati", "Etc/GMT+12"])
@pytest.mark.parametrize("day", ["0001-01-01", "1969-12-31", "1970-01-01", "9998-12-31", "9999-12-31"])
def test_any_day_can_be_asked_for(zone: str, day: str) -> None:
    """The ends of the calendar have no midnight in every zone; nothing was scanned there."""
    first, last = ExportSpec(from_date=day, time_zone=zone), ExportSpec(to_date=day, time_zone=zone)
    for moment in (demanded(first).begin, demanded(last).end):
        assert moment is None or moment.astimezone(ZoneInfo("UTC")).year in range(1969, 10_000)


@pytest.mark.parametrize("zone", ["Asia", "zoneinfo", "posixrules/x", "..", "+09:00", "tzdata.zi", "Asia/Seoul/"])
def test_what_is_no_zone_is_refused(zone: str) -> None:
    """Whatever there is of that name on the machine."""
    with pytest.raises(InvalidArgument) as caught:
        demanded(ExportSpec(time_zone=zone))
    assert caught.value.metadata == {"fields": "export.time_zone"}
