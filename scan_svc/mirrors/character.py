"""What Character says of a scan's reward, field by field as in its protos."""

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Character:
    """Mirror of `eco2.character.v1.Character`."""

    character_id: str
    name: str
    middle: str = ""
    dialogue: str = ""


class RewardOutcome(StrEnum):
    """Mirror of `eco2.character.v1.Reward.Outcome`."""

    UNSPECIFIED = "UNSPECIFIED"
    GRANTED = "GRANTED"
    ALREADY_OWNED = "ALREADY_OWNED"
    NOT_RECYCLABLE = "NOT_RECYCLABLE"
    NO_RULES = "NO_RULES"
    INSUFFICIENT = "INSUFFICIENT"


@dataclass(frozen=True, slots=True)
class Reward:
    """Mirror of `eco2.character.v1.Reward`."""

    outcome: RewardOutcome
    character: Character | None = None
    match_reason: str = ""
    already_owned: bool | None = None
    message: str = ""
