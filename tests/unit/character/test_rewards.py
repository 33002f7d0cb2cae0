"""What a scan deserves, and what came of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from character_svc.catalogue import Catalogue
from character_svc.rewards import (
    RECYCLABLE,
    Decision,
    MatchReason,
    Reward,
    RewardOutcome,
    ScanFacts,
    Verdict,
    decide,
    to_reward,
)

CATALOGUE = Catalogue.load()
FINDINGS = st.builds(
    ScanFacts,
    major=st.sampled_from([RECYCLABLE, "일반종량제폐기물", "미분류", ""]),
    middle=st.sampled_from(["", "금속류", "석재"]),
    rule_count=st.integers(0, 3),
    insufficiency_count=st.integers(0, 3),
)


@pytest.mark.parametrize(
    ("finding", "verdict"),
    [
        (ScanFacts(RECYCLABLE, "금속류", 1, 0), Verdict.EARNED),
        (ScanFacts(RECYCLABLE, "금속류", 5, 0), Verdict.EARNED),
        (ScanFacts(RECYCLABLE, "금속류", 1, 1), Verdict.INSUFFICIENT),
        (ScanFacts(RECYCLABLE, "금속류", 0, 0), Verdict.NO_RULES),
        (ScanFacts(RECYCLABLE, "금속류", 0, 1), Verdict.NO_RULES),
        (ScanFacts("음식물류폐기물", "", 1, 0), Verdict.NOT_RECYCLABLE),
        (ScanFacts("미분류", "", 0, 2), Verdict.NOT_RECYCLABLE),
        (ScanFacts("일반종량제폐기물", "금속류", 1, 0), Verdict.NOT_RECYCLABLE),
    ],
)
def test_the_first_condition_that_fails_gives_the_verdict(finding: ScanFacts, verdict: Verdict) -> None:
    """A user is told one reason, the most fundamental one."""
    assert decide(finding, CATALOGUE).verdict is verdict


@pytest.mark.parametrize(
    ("middle", "character_id", "match"),
    [
        ("금속류", "metally", MatchReason.MIDDLE),
        ("무색페트병", "petti", MatchReason.MIDDLE),
        ("", "eco", MatchReason.DEFAULT),
        ("석재", "eco", MatchReason.DEFAULT),
    ],
)
def test_the_character_is_the_middle_categorys_else_the_default(
    middle: str, character_id: str, match: MatchReason
) -> None:
    """A recyclable nobody stands for still deserves a friend."""
    decision = decide(ScanFacts(RECYCLABLE, middle, 1, 0), CATALOGUE)
    assert decision == Decision(Verdict.EARNED, character_id, match)


@given(FINDINGS)
def test_a_character_comes_with_an_earned_verdict_and_with_no_other(finding: ScanFacts) -> None:
    """The store's constraints and the wire rely on it."""
    decision = decide(finding, CATALOGUE)
    earned = decision.verdict is Verdict.EARNED
    assert earned == (decision.character_id is not None) == (decision.match is not None)


@pytest.mark.parametrize(("first", "outcome"), [(True, RewardOutcome.GRANTED), (False, RewardOutcome.ALREADY_OWNED)])
def test_an_earned_character_is_granted_only_by_its_first_scan(first: bool, outcome: RewardOutcome) -> None:
    """A user has each character at most once."""
    decision = Decision(Verdict.EARNED, "metally", MatchReason.MIDDLE)
    assert to_reward(decision, first=first) == Reward(outcome, "metally", MatchReason.MIDDLE)


@pytest.mark.parametrize("verdict", [verdict for verdict in Verdict if verdict is not Verdict.EARNED])
def test_any_other_verdict_is_its_own_outcome(verdict: Verdict) -> None:
    """The reason reaches the user unchanged, without a character."""
    assert to_reward(Decision(verdict), first=False) == Reward(RewardOutcome(verdict))
