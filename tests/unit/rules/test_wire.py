"""Protos to the domain and back."""

import unicodedata
from datetime import UTC, datetime

import pytest

from eco2.rules.v1.rules_service_pb2 import FindPlacesRequest, PlanEveningRequest
from eco2.vision.v1.classification_pb2 import Candidate, Category, Classification
from mesh.errors import InvalidArgument
from mesh.locale import Locale
from mesh.reasons import Reason
from rules_svc import plans_wire, wire
from rules_svc.answers import wire as answers_wire
from rules_svc.loading.reloader import packaged
from rules_svc.places import wire as places_wire
from rules_svc.rulebook.regions import ResolvedRegion
from rules_svc.rulebook.rulebook import Rulebook


def test_a_rule_survives_the_way_there_and_back(book: Rulebook) -> None:
    """ComposeAnswer stands on the very rule MatchRules told."""
    for path in book.rules:
        for locale in Locale:
            rule = book.match(path, ())[0].localized(locale)
            assert wire.to_rule(wire.from_rule(rule, book.taxonomy)) == rule


def test_levels_that_don_t_apply_are_left_out() -> None:
    """A minor below a major without middles comes with an empty middle."""
    assert wire.to_path(Category(major="생활계유해폐기물", minor="폐의약품")) == ("생활계유해폐기물", "폐의약품")


def test_korean_in_separate_letters_is_understood(book: Rulebook) -> None:
    """Apple's file systems and some keyboards send Hangul decomposed."""
    decomposed = unicodedata.normalize("NFD", "종이팩")
    assert decomposed != "종이팩"
    path = wire.to_path(Category(major="재활용폐기물", middle=decomposed))
    assert book.match(path, wire.to_keys([unicodedata.normalize("NFD", "내부_은박")]))[0].rule_id == "carton.aseptic"


def test_candidates_without_a_name_are_not_offered(book: Rulebook) -> None:
    """An empty name between commas would read like a mistake."""
    candidates = [Candidate(display_name="금속"), Candidate(category=Category(major="미분류"))]
    classification = answers_wire.to_classification(
        Classification(category=Category(major="미분류"), candidates=candidates), book.taxonomy
    )
    assert classification.candidates == ("금속",)


def test_what_a_search_leaves_open_has_defaults() -> None:
    """Five places within three kilometres."""
    assert (places_wire.to_radius(FindPlacesRequest()), places_wire.to_limit(FindPlacesRequest())) == (3000, 5)
    asked = FindPlacesRequest(radius_meters=10, limit=1)
    assert (places_wire.to_radius(asked), places_wire.to_limit(asked)) == (10, 1)


def test_an_unknown_material_is_refused(book: Rulebook) -> None:
    """Else it would look as if no place took it. Minors aren't materials."""
    with pytest.raises(InvalidArgument) as refused:
        places_wire.to_materials(FindPlacesRequest(materials=["전지", "석재", "페트병"]), book.taxonomy)
    assert refused.value.reason is Reason.INVALID_FIELD
    assert [violation.field for violation in refused.value.violations] == ["materials[1]", "materials[2]"]


def test_majors_and_middles_are_materials(book: Rulebook) -> None:
    """What a classification has can be asked for as it is."""
    request = FindPlacesRequest(materials=["전지", "생활계유해폐기물", "미분류"])
    assert places_wire.to_materials(request, book.taxonomy) == ("전지", "생활계유해폐기물", "미분류")


@pytest.mark.parametrize(
    ("remark", "locale", "shown"),
    [("파리채예요", Locale.KO, "파리채"), ("삼겹살이에요", Locale.KO, "삼겹살"), ("it's galbi", Locale.EN, "galbi")],
)
def test_a_thing_is_shown_by_the_name_that_the_user_gave_it(remark: str, locale: Locale, shown: str) -> None:
    """Things that go the same way share an item; another thing's name would look like a mistake."""
    edition = packaged()
    unknown, nowhere = ("미분류",), ResolvedRegion()
    subject = edition.remarks.subject(unknown, (), [], remark)
    matched = edition.book.match_in(subject.path, (), nowhere)
    response = wire.from_matched(subject.path, (), matched, nowhere, edition.book, locale)
    assert wire.with_subject(response, subject, [], edition.book, locale).said.display_name == shown


@pytest.mark.parametrize(
    ("now", "first"),
    [
        pytest.param(datetime(2026, 11, 30, 15, 30, tzinfo=UTC), "2026-11-30", id="half past midnight in Korea"),
        pytest.param(datetime(2026, 11, 30, 19, 59, tzinfo=UTC), "2026-11-30", id="before five"),
        pytest.param(datetime(2026, 11, 30, 20, 0, tzinfo=UTC), "2026-12-01", id="from five it is the next day"),
        pytest.param(datetime(2026, 12, 1, 14, 59, tzinfo=UTC), "2026-12-01", id="a minute to midnight in Korea"),
        pytest.param(datetime(2026, 12, 31, 10, 0, tzinfo=UTC), "2026-12-31", id="the year's last evening"),
    ],
)
def test_evenings_are_koreas_whatever_the_servers_clock(book: Rulebook, now: datetime, first: str) -> None:
    """A night that runs past midnight is still the evening before."""
    where = book.regions.find("제주특별자치도")
    asked = plans_wire.to_evening(PlanEveningRequest(), now)
    matched = book.match_in(("일반종량제폐기물",), (), where, asked.day)
    response = wire.from_matched(("일반종량제폐기물",), (), matched, where, book, Locale.KO, asked.day)
    told = plans_wire.with_evenings(response, matched.rules[0], asked.day).rules[0].evenings
    assert told[0].date == first
    assert len(told) == 7
    assert told[0].close_time.ToDatetime(tzinfo=UTC) > told[0].open_time.ToDatetime(tzinfo=UTC)
