"""Rewards: which character a scan earns, and whether its user has it already."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from character_svc.catalogue import Catalogue

RECYCLABLE = "재활용폐기물"


class Verdict(StrEnum):
    """What a scan earns, whatever its user owns."""

    EARNED = "EARNED"
    NOT_RECYCLABLE = "NOT_RECYCLABLE"
    NO_RULES = "NO_RULES"
    INSUFFICIENT = "INSUFFICIENT"


class RewardOutcome(StrEnum):
    """The reward of a scan, given what its user owned before."""

    GRANTED = "GRANTED"
    ALREADY_OWNED = "ALREADY_OWNED"
    NOT_RECYCLABLE = "NOT_RECYCLABLE"
    NO_RULES = "NO_RULES"
    INSUFFICIENT = "INSUFFICIENT"


class MatchReason(StrEnum):
    """How a character was chosen."""

    MIDDLE = "middle"
    DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class ScanFacts:
    """The facts about a scan that decide its reward.

    Attributes:
        major: Major category.
        middle: Middle category; may be empty.
        rule_count: How many disposal rules were found.
        insufficiency_count: How many questions the answer leaves open.
    """

    major: str
    middle: str
    rule_count: int
    insufficiency_count: int


@dataclass(frozen=True, slots=True)
class Decision:
    """A verdict and, if it is EARNED, the character and how it was chosen."""

    verdict: Verdict
    character_id: str | None = None
    match: MatchReason | None = None


@dataclass(frozen=True, slots=True)
class Reward:
    """An outcome and, if it is GRANTED or ALREADY_OWNED, the character and how it was chosen."""

    outcome: RewardOutcome
    character_id: str | None = None
    match: MatchReason | None = None


@dataclass(frozen=True, slots=True)
class OwnedCharacter:
    """A character in a collection.

    Attributes:
        character_id: Which.
        earned_at: When it was first earned.
        count: How many scans earned it, the first one included.
        last_earned_at: When it was last earned.
    """

    character_id: str
    earned_at: datetime
    count: int
    last_earned_at: datetime


def decide(finding: ScanFacts, catalogue: Catalogue) -> Decision:
    """Decides what a scan earns.

    Only a recyclable with rules and a complete answer earns a character: the one of its middle category, else the
    default one. The first condition that fails gives the verdict.
    """
    if finding.major != RECYCLABLE:
        return Decision(Verdict.NOT_RECYCLABLE)
    if finding.rule_count == 0:
        return Decision(Verdict.NO_RULES)
    if finding.insufficiency_count > 0:
        return Decision(Verdict.INSUFFICIENT)
    if (character := catalogue.of_middle(finding.middle)) is not None:
        return Decision(Verdict.EARNED, character.id, MatchReason.MIDDLE)
    return Decision(Verdict.EARNED, catalogue.default.id, MatchReason.DEFAULT)


def to_reward(decision: Decision, *, first: bool) -> Reward:
    """Makes a decision a reward.

    Args:
        decision: What the scan earns.
        first: Whether it was this scan that brought the character into the collection.
    """
    if decision.verdict is not Verdict.EARNED:
        return Reward(RewardOutcome(decision.verdict))
    outcome = RewardOutcome.GRANTED if first else RewardOutcome.ALREADY_OWNED
    return Reward(outcome, decision.character_id, decision.match)
