"""Places and their distances."""

import pytest

from rules_svc.places import Kind, Location, NearbyPlace, Place
from rules_svc.taxonomy import Text

NAMED = Text("견본", "Sample")
PLACE = Place("sample-1", Kind.BATTERY_BOX, NAMED, NAMED, Location(37.5, 127.0), ("전지",), NAMED, True)


@pytest.mark.parametrize(("meters", "minutes"), [(0, 1), (40, 1), (100, 2), (1000, 20), (3000, 59)])
def test_walking_is_estimated_with_detours_at_an_easy_pace(meters: float, minutes: int) -> None:
    """1.3 times the straight line at 4 km/h, never less than a minute."""
    assert NearbyPlace(PLACE, meters).walking_minutes == minutes
