"""Regions as people name them: by name, in short, in English, by code, after reforms."""

import unicodedata
from collections.abc import Iterator

import pytest

from mesh.locale import Locale
from rules_svc.rulebook.gazetteer import Region
from rules_svc.rulebook.notices import notice
from rules_svc.rulebook.regions import NATION, ResolvedRegion
from rules_svc.rulebook.rulebook import Rulebook

BOTTLE = ("재활용폐기물", "유리병", "음료수병")
_SHORT = {
    "서울특별시": ("서울", "서울시"),
    "부산광역시": ("부산", "부산시"),
    "경기도": ("경기",),
    "강원특별자치도": ("강원", "강원도", "강원자치도"),
    "충청북도": ("충북",),
    "전북특별자치도": ("전북", "전라북도", "전북자치도"),
    "전남광주통합특별시": ("전남광주", "전남"),
    "경상남도": ("경남",),
    "제주특별자치도": ("제주도",),
}


def at(book: Rulebook, said: str) -> ResolvedRegion:
    return book.regions.find(said)


@pytest.mark.parametrize(
    ("said", "key"),
    [
        ("서울특별시/마포구", "서울특별시/마포구"),
        ("서울 마포", "서울특별시/마포구"),
        ("마포구", "서울특별시/마포구"),
        ("서울시 마포구 서교동", "서울특별시/마포구"),
        ("Mapo-gu, Seoul", "서울특별시/마포구"),
        ("seoul mapo", "서울특별시/마포구"),
        ("11440", "서울특별시/마포구"),
        ("1144012000", "서울특별시/마포구"),
        ("11", "서울특별시"),
        ("경기도 성남시 분당구 정자동", "경기도/성남시/분당구"),
        ("분당", "경기도/성남시/분당구"),
        ("광주", "전남광주통합특별시"),
        ("경기 광주", "경기도/광주시"),
        ("강원 고성", "강원특별자치도/고성군"),
        ("전라북도 전주시", "전북특별자치도/전주시"),
        ("전북 전주", "전북특별자치도/전주시"),
        ("세종시", "세종특별자치시"),
        ("36110", "세종특별자치시"),
        ("제주", "제주특별자치도"),
        ("울릉군", "경상북도/울릉군"),
        ("경기도/수원시영통구/망포동", "경기도/수원시/영통구"),
        ("서울특별시마포구망원동", "서울특별시/마포구"),
        ("서울 마포구 망원1동 123-4", "서울특별시/마포구"),
        ("대한민국서울특별시마포구망원동", "서울특별시/마포구"),
        ("경기 수원영통", "경기도/수원시/영통구"),
        ("서울-마포구", "서울특별시/마포구"),
        ("서울특별시_마포구", "서울특별시/마포구"),
        ("Seoul Special City Mapo District", "서울특별시/마포구"),
        ("123-4 Mangwon-dong, Mapo-gu, Seoul, Republic of Korea", "서울특별시/마포구"),
    ],
)
def test_a_region_is_found_as_people_write_it(book: Rulebook, said: str, key: str) -> None:
    """By its full name, in short, in English, with a 동 behind it, or by its code."""
    region = at(book, said).region
    assert region is not None
    assert region.key == key


@pytest.mark.parametrize(
    ("said", "key"),
    [
        ("전남광주통합특별시", "전남광주통합특별시"),
        ("광주광역시 동구", "전남광주통합특별시/동구"),
        ("29110", "전남광주통합특별시/동구"),
        ("전남 화순군", "전남광주통합특별시/화순군"),
        ("전라남도/화순군", "전남광주통합특별시/화순군"),
        ("4679025000", "전남광주통합특별시/화순군"),
        ("인천 동구", "인천광역시/제물포구"),
        ("28140", "인천광역시/제물포구"),
        ("인천 영종구", "인천광역시/영종구"),
        ("인천광역시검단구왕길동", "인천광역시/검단구"),
        ("인천 남구", "인천광역시/미추홀구"),
        ("28170", "인천광역시/미추홀구"),
        ("화성시 동탄구", "경기도/화성시/동탄구"),
        ("41597", "경기도/화성시/동탄구"),
        ("41590", "경기도/화성시"),
        ("경북 군위군", "대구광역시/군위군"),
        ("경북 군위", "대구광역시/군위군"),
        ("군위군", "대구광역시/군위군"),
        ("충북 청원군", "충청북도/청주시"),
        ("경남 마산시", "경상남도/창원시"),
        ("충남 연기군", "세종특별자치시"),
        ("48190", "경상남도/창원시/진해구"),
        ("47720", "대구광역시/군위군"),
        ("강원자치도 춘천시", "강원특별자치도/춘천시"),
        ("42110", "강원특별자치도/춘천시"),
        ("전북자치도 전주시 덕진구", "전북특별자치도/전주시/덕진구"),
        ("45113", "전북특별자치도/전주시/덕진구"),
    ],
)
def test_reforms_are_followed(book: Rulebook, said: str, key: str) -> None:
    """New names and codes are found, and old ones are what they have become."""
    region = at(book, said).region
    assert region is not None
    assert region.key == key


@pytest.mark.parametrize(
    ("said", "keys"),
    [
        ("인천 중구", {"인천광역시/제물포구", "인천광역시/영종구"}),
        ("28110", {"인천광역시/제물포구", "인천광역시/영종구"}),
        ("인천광역시서구", {"인천광역시/서해구", "인천광역시/검단구"}),
        ("광주시", {"전남광주통합특별시", "경기도/광주시"}),
    ],
)
def test_what_was_divided_is_asked_back(book: Rulebook, said: str, keys: set[str]) -> None:
    """An old district that became two could be either."""
    found = at(book, said)
    assert found.region is None
    assert {region.key for region in found.several} == keys


def test_every_region_is_found_however_it_is_spelt(book: Rulebook) -> None:
    """With and without blanks, a neighbourhood behind it, short names of provinces, codes, separate letters."""
    lost = {
        said: at(book, said).region
        for region in book.regions
        for said in _spellings(region)
        if at(book, said).region != region
    }
    assert lost == {}


@pytest.mark.parametrize("said", ["정자동", "중앙동", "정자1동", "행복마을"])
def test_a_neighbourhood_alone_is_not_guessed(book: Rulebook, said: str) -> None:
    """There are several of most; the notice asks for the city or district."""
    found = at(book, said)
    assert (found.region, found.several) == (None, ())
    assert "시·군·구" in notice(found, book.regions.nation, book.regions, Locale.KO)


@pytest.mark.parametrize("said", ["중구", "고성군", "북구", "강서구"])
def test_a_name_that_several_regions_share_is_not_guessed(book: Rulebook, said: str) -> None:
    """The wrong district's day is worse than none; the notice asks which one."""
    found = at(book, said)
    assert found.region is None
    assert len(found.several) > 1
    assert all(
        one.key.split("/")[0] in notice(found, book.regions.nation, book.regions, Locale.KO) for one in found.several
    )


@pytest.mark.parametrize("said", ["아틀란티스", "99999", "!!", ""])
def test_an_unknown_region_is_the_nations(book: Rulebook, said: str) -> None:
    """No error: the national rule helps everywhere."""
    found = at(book, said)
    assert found.region is None
    assert book.match_in(BOTTLE, (), found).overlay.key == NATION


def test_every_region_is_found_by_its_own_key_and_code(book: Rulebook) -> None:
    """Nobody is hidden by a neighbour of the same name."""
    for region in book.regions:
        assert at(book, region.key).region == region
        if len(region.code) == 5:
            assert at(book, region.code).region == region


def _spellings(region: Region) -> Iterator[str]:
    province, *below = region.key.split("/")
    for above in (province, *_SHORT.get(province, (province,))):
        parts = [above, *below]
        yield from ("/".join(parts), " ".join(parts), "".join(parts), ", ".join(parts))
        yield unicodedata.normalize("NFD", "".join(parts))
        yield f"대한민국 {' '.join(parts)}"
        if below:
            yield from (f"{' '.join(parts)} 중앙동 123-4", f"{''.join(parts)}중앙동", f"{''.join(parts)} 중앙로 1")
    yield from (region.code, f"{region.code}10100") if len(region.code) == 5 else (region.code,)
