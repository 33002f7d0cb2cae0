"""Places and their distances."""

from dataclasses import replace
from typing import Any
from urllib.parse import unquote

import pytest

from mesh.locale import Text
from rules_svc.places.places import Location, NearbyPlace, Place, PlaceKind, merged

NAMED = Text("견본", "Sample")
PLACE = Place("sample-1", PlaceKind.BATTERY_BOX, NAMED, NAMED, Location(37.5, 127.0), ("전지",), NAMED, True)


@pytest.mark.parametrize(("meters", "minutes"), [(0, 1), (40, 1), (100, 2), (1000, 20), (3000, 59)])
def test_walking_is_estimated_with_detours_at_an_easy_pace(meters: float, minutes: int) -> None:
    """1.3 times the straight line at 4 km/h, never less than a minute."""
    assert NearbyPlace(PLACE, meters).walking_minutes == minutes


def test_map_links_can_be_opened_whatever_the_name() -> None:
    """A comma in a name would end it in Kakao's address, a slash its path."""
    links = {link.provider: link.uri for link in PLACE.map_links("역 앞, 2번/출구 (A&B)?")}
    assert links["kakao"].startswith("https://map.kakao.com/link/map/")
    name, latitude, longitude = links["kakao"].removeprefix("https://map.kakao.com/link/map/").split(",")
    assert unquote(name) == "역 앞, 2번/출구 (A&B)?"
    assert (float(latitude), float(longitude)) == (37.5, 127.0)
    assert not set("/?&() ") & set(name)
    assert links["geo"].startswith("geo:37.500000,127.000000?q=37.500000,127.000000(")
    assert "mlat=37.500000&mlon=127.000000" in links["openstreetmap"]


def test_a_page_of_its_own_is_the_better_link() -> None:
    """Kakao's page shows photos and reviews; a pin doesn't."""
    page = "https://place.map.kakao.com/123"
    assert replace(PLACE, page=page).map_links("")[0].uri == page


def test_distances_are_those_of_a_sphere() -> None:
    """Seoul to Busan, city halls: 325 km as the crow flies."""
    assert Location(37.5663, 126.9779).meters_to(Location(35.1798, 129.0750)) == pytest.approx(325_000, rel=0.01)
    assert Location(37.5, 127.0).meters_to(Location(37.5, 127.0)) == 0.0


def nearby(meters: float, **changes: Any) -> NearbyPlace:
    """A real place so many metres north of the first one."""
    at = Location(37.5 + meters / 111_195, 127.0)
    place = replace(PLACE, place_id=f"p{meters}", is_sample=False, location=at, **changes)
    return NearbyPlace(place, meters)


def test_two_sources_are_merged_nearest_first() -> None:
    """Of two of a kind within 50 m ours is told; of another kind, or farther away, both."""
    ours = [nearby(0), nearby(500)]
    theirs = [nearby(40, source="kakao"), nearby(200, source="kakao"), nearby(30, kind=PlaceKind.LAMP_BOX)]
    assert [one.distance_meters for one in merged(ours, theirs, 10)] == [0, 30, 200, 500]
    assert [one.distance_meters for one in merged(ours, theirs, 2)] == [0, 30]


def test_an_invented_place_hides_no_real_one() -> None:
    """Samples stand in until there is something better."""
    sample = NearbyPlace(replace(PLACE, place_id="sample"), 0.0)
    assert [one.place.place_id for one in merged([sample], [nearby(10)], 5)] == ["sample", "p10"]
