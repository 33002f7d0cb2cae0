"""What a scan deserves, and what came of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from character_svc.catalogue import Catalogue
from character_svc.rewards import RECYCLABLE, Decision, Finding, Match, Outcome, Reward, Verdict, decide, settle

CATALOGUE = Catalogue.load()
FINDINGS = st.builds(
    Finding,
    major=st.sampled_from([RECYCLABLE, "일반종량제폐기물", "미분류", ""]),
    middle=st.sampled_from(["", "금속류", "석재"]),
    rule_count=st.integers(0, 3),
    insufficiency_count=st.integers(0, 3),
)


@pytest.mark.parametrize(
    ("finding", "verdict"),
    [
        (Finding(RECYCLABLE, "금속류", 1, 0), Verdict.EARNED),
        (Finding(RECYCLABLE, "금속류", 5, 0), Verdict.EARNED),
        (Finding(RECYCLABLE, "금속류", 1, 1), Verdict.INSUFFICIENT),
        (Finding(RECYCLABLE, "금속류", 0, 0), Verdict.NO_RULES),
        (Finding(RECYCLABLE, "금속류", 0, 1), Verdict.NO_RULES),
        (Finding("음식물류폐기물", "", 1, 0), Verdict.NOT_RECYCLABLE),
        (Finding("미분류", "", 0, 2), Verdict.NOT_RECYCLABLE),
        (Finding("일반종량제폐기물", "금속류", 1, 0), Verdict.NOT_RECYCLABLE),
    ],
)
def test_the_first_condition_that_fails_gives_the_verdict(finding: Finding, verdict: Verdict) -> None:
    """A user is told one reason, the most fundamental one."""
    assert decide(finding, CATALOGUE).verdict is verdict


@pytest.mark.parametrize(
    ("middle", "character_id", "match"),
    [
        ("금속류", "metally", Match.MIDDLE),
        ("무색페트병", "petti", Match.MIDDLE),
        ("", "eco", Match.DEFAULT),
        ("석재", "eco", Match.DEFAULT),
    ],
)
def test_the_character_is_the_middle_categorys_else_the_default(middle: str, character_id: str, match: Match) -> None:
    """A recyclable nobody stands for still deserves a friend."""
    decision = decide(Finding(RECYCLABLE, middle, 1, 0), CATALOGUE)
    assert decision == Decision(Verdict.EARNED, character_id, match)


@given(FINDINGS)
def test_a_character_comes_with_an_earned_verdict_and_with_no_other(finding: Finding) -> None:
    """The store's constraints and the wire rely on it."""
    decision = decide(finding, CATALOGUE)
    earned = decision.verdict is Verdict.EARNED
    assert earned == (decision.character_id is not None) == (decision.match is not None)


@pytest.mark.parametrize(("first", "outcome"), [(True, Outcome.GRANTED), (False, Outcome.ALREADY_OWNED)])
def test_an_earned_character_is_granted_only_by_its_first_scan(first: bool, outcome: Outcome) -> None:
    """A user has each character at most once."""
    decision = Decision(Verdict.EARNED, "metally", Match.MIDDLE)
    assert settle(decision, first=first) == Reward(outcome, "metally", Match.MIDDLE)


@pytest.mark.parametrize("verdict", [verdict for verdict in Verdict if verdict is not Verdict.EARNED])
def test_any_other_verdict_is_its_own_outcome(verdict: Verdict) -> None:
    """The reason reaches the user unchanged, without a character."""
    assert settle(Decision(verdict), first=False) == Reward(Outcome(verdict))
