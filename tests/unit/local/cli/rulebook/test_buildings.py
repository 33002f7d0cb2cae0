"""`eco2 building`: the code that was joined, and a building as text."""

from pathlib import Path

import pytest

from eco2.rules.v1 import building_pb2
from local.cli.rulebook import joined
from local.cli.rulebook.buildings import lines
from mesh.locale import Locale
from tests.support.cli.command import Run
from tests.support.cli.fake_edge import FakeEdge
from tests.support.cli.replies import HOUSE, Scans


def test_the_code_that_was_joined_goes_with_what_is_asked_until_it_is_left(
    eco2: Run, scans: Scans, edge: FakeEdge, tmp_path: Path
) -> None:
    """Unless another one is given, or a region."""
    var = tmp_path / "var"
    assert joined.chosen("", "", var) == ""
    shown = eco2("building", "join", "K7PD2MTX")
    assert "한빛아파트 · Mapo-gu, Seoul · K7PD-2MTX" in shown.out
    assert joined.chosen("", "", var) == "K7PD2MTX"
    assert joined.chosen("00000000", "", var) == "00000000"
    assert joined.chosen("", "종로구", var) == ""
    eco2("rules", "show", "can")
    assert edge.asked("POST /v1/rules:match")[0].json["building"] == "K7PD2MTX"
    eco2("building", "leave")
    assert eco2("building", "leave").status == 0
    assert joined.chosen("", "", var) == ""


@pytest.mark.parametrize(
    ("locale", "told"),
    [
        (Locale.KO, ["지하 1층", "재활용품 · 화 · 18:00-06:00", "건전지함 · 관리실"]),
        (Locale.EN, ["지하 1층", "recyclables · Tuesday · 18:00-06:00", "batteries · office"]),
    ],
)
def test_a_building_is_shown_in_the_reader_s_language(locale: Locale, told: list[str]) -> None:
    """What its manager wrote in one language alone comes in that."""
    assert [*lines(HOUSE, locale)][1:] == told


@pytest.mark.parametrize("locale", list(Locale))
def test_every_kind_has_a_name_in_both_languages(locale: Locale) -> None:
    """The API's names are nobody's words."""
    collections, bins = building_pb2.BuildingCollection.Kind.values(), building_pb2.BuildingBin.Kind.values()
    house = building_pb2.Building()
    for kind in filter(None, collections):
        house.collections.add(kind=kind)
    for bin_ in filter(None, bins):
        house.bins.add(kind=bin_)
    told = [*lines(house, locale)][1:]
    assert len({*told}) == len(collections) + len(bins) - 2
    assert all((any("가" <= sign <= "힣" for sign in line)) is (locale is Locale.KO) for line in told)


def test_a_file_that_is_no_building_is_named(eco2: Run, tmp_path: Path) -> None:
    """With what is wrong with it."""
    (tmp_path / "house.json").write_text('{"nmae": "x"}')
    ended = eco2("building", "create", "house.json")
    assert ended.status == 2
    assert "house.json isn't a building" in ended.err
