"""A card in one language holds nothing of the other: over all categories, situations, evenings and characters."""

import io
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache

import pytest
from rich.console import Console

from character_svc import wire as characters_wire
from character_svc.catalogue import Catalogue
from character_svc.rewards import MatchReason, Reward, RewardOutcome
from eco2.rules.v1 import disposal_pb2, rules_service_pb2
from eco2.scan.v1 import scan_pb2
from eco2.vision.v1 import classification_pb2
from local.cli.display import card
from local.cli.display.names import Names
from local.cli.rulebook.rules import lines
from mesh.locale import Locale
from rules_svc import plans_wire, wire
from rules_svc.answers import wire as answers_wire
from rules_svc.loading.reloader import LoadedRulebook, packaged
from rules_svc.rulebook.plans import plan
from rules_svc.rulebook.regions import ResolvedRegion
from rules_svc.rulebook.taxonomy import Path

NOW = datetime(2026, 11, 29, 9, tzinfo=UTC)
REGIONS = ("", "서울특별시/마포구", "경기도/수원시")
HANGUL = re.compile(r"[ㄱ-ㆎ가-힣/_]*[ㄱ-ㆎ가-힣]")


@cache
def names(locale: Locale) -> Names:
    """What everything is called."""
    return Names.of(wire.from_book(packaged().book, locale), locale)


def matched(
    edition: LoadedRulebook, path: Path, tags: tuple[str, ...], where: ResolvedRegion, locale: Locale
) -> rules_service_pb2.MatchRulesResponse:
    """As MatchRules answers."""
    evening = plans_wire.to_evening(rules_service_pb2.PlanEveningRequest(), NOW).day
    found = edition.book.match_in(path, tags, where, evening)
    response = wire.from_matched(path, tags, found, where, edition.book, locale, evening)
    return plans_wire.with_evenings(response, found.rules[0], evening)


def planned(
    edition: LoadedRulebook, path: Path, tags: tuple[str, ...], where: ResolvedRegion, locale: Locale
) -> disposal_pb2.EveningPlan:
    """As GetSchedule answers."""
    evening = plans_wire.to_evening(rules_service_pb2.PlanEveningRequest(), NOW)
    one = plan(edition.book, path, tags, where, evening)
    return plans_wire.from_plans([(one, where)], evening, edition.book, locale).plans[0]


def scan(response: rules_service_pb2.MatchRulesResponse, locale: Locale) -> scan_pb2.Scan:
    """A scan that succeeded, as Scan keeps it."""
    edition = packaged()
    seen = classification_pb2.Classification(
        category=response.category, display_name=response.display_name, tags=response.tags, confidence=0.8
    )
    rules = [wire.to_rule(rule) for rule in response.rules]
    composed = edition.composer.compose(answers_wire.to_classification(seen, edition.book.taxonomy), rules, "", locale)
    answer = answers_wire.from_composed(composed).answer
    done = scan_pb2.Scan.State.STATE_SUCCEEDED
    return scan_pb2.Scan(state=done, locale=locale, classification=seen, rules=response.rules, answer=answer)


def printed(found: scan_pb2.Scan, when: disposal_pb2.EveningPlan | None, locale: Locale) -> str:
    """The card as plain text."""
    output = io.StringIO()
    Console(file=output, width=96).print(card.render(found, when, names(locale)))
    return output.getvalue()


def cases() -> Iterator[tuple[Path, tuple[str, ...], ResolvedRegion]]:
    """Every category as it is, in some regions; then every situation once."""
    book = packaged().book
    places = [book.regions.find(region) if region else ResolvedRegion() for region in REGIONS]
    for number, node in enumerate(book.taxonomy):
        yield node.path, (), places[number % len(places)]
    for tag in book.tags:
        yield ("재활용폐기물", "플라스틱류"), (tag,), places[1]


def foreign(text: str, locale: Locale) -> list[str]:
    """What of a text is in the other language.

    In English, what is written on a bin may stand in brackets behind what it means: "battery box (폐건전지 수거함)". A
    name that there is in Korean alone stands in quotation marks.
    """
    plain = " ".join(text.replace("│", " ").split())
    if locale is Locale.EN:
        return HANGUL.findall(re.sub(r"\([^()]*\)|‘[^’]*’", "", plain))
    return re.findall(r"[a-zA-Z]+ [a-z]{2,} [a-z]{2,}", plain)


@pytest.mark.parametrize("locale", list(Locale))
def test_the_card_of_every_category_is_in_one_language(locale: Locale) -> None:
    """With its answer, its bag, its evening, and the situation it is in."""
    edition = packaged()
    for path, tags, where in cases():
        response = matched(edition, path, tags, where, locale)
        text = printed(scan(response, locale), planned(edition, path, tags, where, locale), locale)
        assert foreign(text, locale) == [], (path, tags)
        assert response.display_name in text
        told = [*lines(response.rules[0], locale), response.region.notice]
        assert foreign("\n".join(told), locale) == [], (path, tags)


@pytest.mark.parametrize("locale", list(Locale))
def test_every_character_speaks_one_language(locale: Locale) -> None:
    """Earned, owned already, or refused."""
    catalogue = Catalogue.load()
    response = matched(packaged(), ("재활용폐기물", "금속류"), (), ResolvedRegion(), locale)
    rewards = [
        *(Reward(RewardOutcome.GRANTED, one.id, MatchReason.MIDDLE) for one in catalogue),
        *(Reward(RewardOutcome.ALREADY_OWNED, one.id, MatchReason.DEFAULT) for one in catalogue),
        *(Reward(RewardOutcome(outcome)) for outcome in ("NOT_RECYCLABLE", "NO_RULES", "INSUFFICIENT")),
    ]
    for reward in rewards:
        found = scan(response, locale)
        found.reward.CopyFrom(characters_wire.from_reward(reward, catalogue, locale))
        text = printed(found, None, locale)
        assert foreign(text, locale) == []
        assert found.reward.message in text


@pytest.mark.parametrize("locale", list(Locale))
def test_places_are_labelled_in_one_language(locale: Locale) -> None:
    """Names and addresses are as their source writes them."""
    found = scan(matched(packaged(), ("재활용폐기물", "전지"), (), ResolvedRegion(), locale), locale)
    found.places.add(name="1", address="2", distance_meters=80, walking_minutes=1, is_sample=True)
    assert foreign(printed(found, None, locale), locale) == []


@pytest.mark.parametrize("state", ["FAILED", "CANCELLED", "EXPIRED"])
@pytest.mark.parametrize("locale", list(Locale))
def test_other_ends_are_told_in_one_language(state: str, locale: Locale) -> None:
    """Their frame, too."""
    found = scan_pb2.Scan(state=scan_pb2.Scan.State.Value(f"STATE_{state}"), locale=locale)
    assert foreign(printed(found, None, locale), locale) == []


def test_foreign_words_are_noticed() -> None:
    """The checks above can fail."""
    assert foreign("Rinse it (헹구기)\n재활용폐기물", Locale.EN) == ["재활용폐기물"]
    assert foreign("PET는 헹궈요\nClear bottles go there", Locale.KO) == ["Clear bottles go"]
