"""Regions by coordinates: the outlines of districts."""

import json

import pytest

from rules_svc.loading import loader
from rules_svc.rulebook.boundaries import Boundaries
from rules_svc.rulebook.rulebook import Rulebook


def test_where_somebody_is_decides_between_regions_of_one_name(book: Rulebook) -> None:
    """중구, said in Daegu, is Daegu's."""
    region = book.regions.find("중구", (35.87, 128.6)).region
    assert region is not None
    assert region.key == "대구광역시/중구"


@pytest.mark.parametrize(
    ("latitude", "longitude", "key"),
    [
        (37.5560, 126.9235, "서울특별시/마포구"),  # Hongik University station
        (37.5497, 126.9137, "서울특별시/마포구"),  # Hapjeong station
        (37.5571, 126.9368, "서울특별시/서대문구"),  # Sinchon station's north side
        (37.5796, 126.8894, "서울특별시/마포구"),  # Sangam-dong, nearer to Seodaemun's and Goyang's centres
        (37.5133, 127.1001, "서울특별시/송파구"),  # Lotte World Tower
        (37.5088, 127.0631, "서울특별시/강남구"),  # Samseong station
        (37.5006, 127.0364, "서울특별시/강남구"),  # Yeoksam station
        (37.5665, 126.9780, "서울특별시/중구"),  # Seoul City Hall, nearer to Jongno's centre
        (37.3947, 127.1112, "경기도/성남시/분당구"),  # Pangyo station
        (37.2636, 127.0286, "경기도/수원시/팔달구"),  # Suwon City Hall's old quarter
        (37.2000, 127.0980, "경기도/화성시/동탄구"),  # Dongtan station
        (37.4602, 126.4407, "인천광역시/영종구"),  # Incheon airport
        (37.4738, 126.6170, "인천광역시/제물포구"),  # Incheon station
        (37.5940, 126.7100, "인천광역시/검단구"),  # Geomdan
        (37.5330, 126.6410, "인천광역시/서해구"),  # Cheongna
        (35.1587, 129.1604, "부산광역시/해운대구"),  # Haeundae beach
        (35.1152, 129.0403, "부산광역시/동구"),  # Busan station
        (35.8714, 128.6014, "대구광역시/중구"),
        (36.2410, 128.5730, "대구광역시/군위군"),
        (36.6282, 127.4562, "충청북도/청주시/서원구"),  # Chungbuk National University
        (36.4800, 127.2890, "세종특별자치시"),
        (33.4996, 126.5312, "제주특별자치도/제주시"),
        (33.2541, 126.5601, "제주특별자치도/서귀포시"),
        (37.4845, 130.9057, "경상북도/울릉군"),
        (37.8860, 127.7300, "강원특별자치도/춘천시"),
        (35.6762, 139.6503, None),  # Tokyo
    ],
)
def test_coordinates_are_the_district_around_them(
    book: Rulebook, latitude: float, longitude: float, key: str | None
) -> None:
    """By the districts' outlines, also where a neighbour's centre is nearer; Tokyo is nobody's."""
    region = book.regions.around(latitude, longitude)
    assert (region.key if region else None) == key


def test_every_district_has_an_outline(book: Rulebook) -> None:
    """Nobody is missing from the map, and cities that are divided are on it by their districts only."""
    rings = json.loads((loader.DATA / "regions" / "boundaries.json").read_text("utf-8"))
    divided = {key for region in book.regions for key in region.lineage[1:]}
    assert rings.keys() == {region.code for region in book.regions if region.key not in divided}
    assert Boundaries.of(rings).codes == rings.keys()


def test_a_place_in_a_hole_is_outside() -> None:
    """Gwangju lay in Jeonnam, as Daegu does in Gyeongbuk."""
    square = [0, 0, 30, 0, 0, 30, -30, 0]
    hole = [10, 10, 10, 0, 0, 10, -10, 0]
    both = Boundaries.of({"47": [square, hole], "27": [hole]})
    assert both.containing(0.0005, 0.0005) == "47"
    assert both.containing(0.0015, 0.0015) == "27"
    assert both.containing(0.0005, 0.0035) is None
    with pytest.raises(ValueError, match="three corners"):
        Boundaries.of({"47": [[0, 0, 1, 1]]})
