"""Rewards and characters as the wire shows them."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from character_svc import wire
from character_svc.catalogue import Catalogue
from character_svc.rewards import MatchReason, OwnedCharacter, Reward, RewardOutcome, ScanFacts
from eco2.character.v1 import character_pb2, character_service_pb2
from eco2.vision.v1 import classification_pb2
from mesh.locale import Locale

CATALOGUE = Catalogue.load()
REFUSALS = [RewardOutcome.NOT_RECYCLABLE, RewardOutcome.NO_RULES, RewardOutcome.INSUFFICIENT]


def test_outcomes_on_the_wire_are_those_of_the_domain() -> None:
    """An outcome added on one side only would break the other at run time."""
    names = set(character_pb2.Reward.Outcome.keys()) - {"OUTCOME_UNSPECIFIED"}
    assert names == {f"OUTCOME_{outcome}" for outcome in RewardOutcome}


@pytest.mark.parametrize(("outcome", "owned"), [(RewardOutcome.GRANTED, False), (RewardOutcome.ALREADY_OWNED, True)])
def test_an_earned_reward_carries_its_character(outcome: RewardOutcome, owned: bool) -> None:
    """The app shows the character at once, without another call."""
    reward = wire.from_reward(Reward(outcome, "metally", MatchReason.MIDDLE), CATALOGUE, Locale.EN)
    assert reward.character == wire.from_character(CATALOGUE["metally"], Locale.EN)
    assert (reward.match_reason, reward.HasField("already_owned"), reward.already_owned) == ("middle", True, owned)
    assert "Metally" in reward.message


@pytest.mark.parametrize("outcome", REFUSALS)
def test_a_refusal_carries_nothing_but_its_sentence(outcome: RewardOutcome) -> None:
    """`already_owned` means something only where there is a character."""
    reward = wire.from_reward(Reward(outcome), CATALOGUE, Locale.KO)
    assert not reward.HasField("character")
    assert not reward.HasField("already_owned")
    assert reward.match_reason == ""
    assert reward.message


@pytest.mark.parametrize(("locale", "name"), [(Locale.KO, "메탈리"), (Locale.EN, "Metally")])
def test_a_character_speaks_the_language_asked_for(locale: Locale, name: str) -> None:
    """The middle category stays Korean: it is a key."""
    message = wire.from_character(CATALOGUE["metally"], locale)
    assert (message.name, message.middle) == (name, "금속류")
    assert message.dialogue == CATALOGUE["metally"].dialogue[locale]


def test_an_owned_character_keeps_the_moment_it_was_earned() -> None:
    """Collections are sorted and shown by it."""
    moment = datetime(2026, 3, 1, 12, 30, 15, 250_000, tzinfo=UTC)
    message = wire.from_owned(OwnedCharacter("eco", moment, 3, moment + timedelta(days=1)), CATALOGUE, Locale.KO)
    assert message.first_earned_time.ToDatetime(UTC) == moment
    assert (message.count, message.last_earned_time.ToDatetime(UTC)) == (3, moment + timedelta(days=1))


def test_a_request_becomes_a_finding() -> None:
    """All four facts decide, and nothing else does."""
    request = character_service_pb2.EvaluateRewardRequest(
        scan_id="0197A2B4-0000-7000-8000-000000000001",
        category=classification_pb2.Category(major="재활용폐기물", middle="금속류", minor="캔류"),
        rule_count=2,
        insufficiency_count=1,
    )
    assert wire.to_facts(request) == ScanFacts("재활용폐기물", "금속류", 2, 1)
    assert wire.to_scan_id(request) == UUID("0197a2b4-0000-7000-8000-000000000001")
