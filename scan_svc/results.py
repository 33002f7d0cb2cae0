"""What the stages produce, as the peers' contracts define it.

Each class mirrors a proto message field by field; `mesh.grpc.proto_mirror` converts, and a test compares the names.
What a field means stands in the proto.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

import msgspec

# The major category of what wasn't recognised.
UNRECOGNISED = "미분류"
# Provider of a classification that the user's own words made.
USER = "user"


@dataclass(frozen=True, slots=True)
class Category:
    """Mirror of `eco2.vision.v1.Category`."""

    major: str
    middle: str = ""
    minor: str = ""

    @property
    def recognised(self) -> bool:
        """Whether it says what something is."""
        return self.major != UNRECOGNISED


@dataclass(frozen=True, slots=True)
class Candidate:
    """Mirror of `eco2.vision.v1.Candidate`."""

    category: Category
    display_name: str
    confidence: float | None = None


@dataclass(frozen=True, slots=True)
class ModelAttempt:
    """Mirror of `eco2.vision.v1.ModelAttempt`."""

    model: str
    reason: str


@dataclass(frozen=True, slots=True)
class Sighting:
    """Mirror of `eco2.vision.v1.Sighting`."""

    category: Category
    display_name: str = ""
    confidence: float | None = None
    provider: str = ""
    model: str = ""


@dataclass(frozen=True, slots=True)
class Classification:
    """Mirror of `eco2.vision.v1.Classification`."""

    category: Category
    display_name: str = ""
    tags: tuple[str, ...] = ()
    material: str = ""
    form: str = ""
    mixed: bool | None = None
    confidence: float | None = None
    candidates: tuple[Candidate, ...] = ()
    warning: str = ""
    provider: str = ""
    model: str = ""
    prompt_version: str = ""
    others: tuple[Candidate, ...] = ()
    passed_over: tuple[ModelAttempt, ...] = ()
    said: Candidate | None = None
    seen: Sighting | None = None
    photo_digest: str = ""

    @property
    def sighting(self) -> Sighting:
        """What the classifier said, whatever the user says."""
        return self.seen or Sighting(self.category, self.display_name, self.confidence, self.provider, self.model)

    def said_to_be(self, category: Category, display_name: str) -> "Classification":
        """The same with a category that the user's own words name; what described another one is left out."""
        return replace(
            self, category=category, display_name=display_name, provider=USER, seen=self.sighting, model="",
            prompt_version="", material="", form="", confidence=None, candidates=(), warning="",
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Usage:
    """Mirror of `eco2.vision.v1.Usage`."""

    model: str
    input_tokens: int = 0
    output_tokens: int = 0
    cost_micro_usd: int = 0
    calls: int = 0

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            other.model or self.model,
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
            self.cost_micro_usd + other.cost_micro_usd,
            self.calls + other.calls,
        )

    @classmethod
    def of_failure(cls, metadata: Mapping[str, str]) -> "Usage | None":
        """What a peer paid for an answer it couldn't use, by the metadata of its error; None if it paid nothing."""
        figures = {
            name: metadata.get(name, "0") for name in ("input_tokens", "output_tokens", "cost_micro_usd", "calls")
        }
        if not all(figure.isdecimal() for figure in figures.values()) or not any(map(int, figures.values())):
            return None
        return cls(metadata.get("model", ""), **{name: int(figure) for name, figure in figures.items()})


@dataclass(frozen=True, slots=True)
class Exclusion:
    """Mirror of `eco2.rules.v1.Exclusion`."""

    item: str
    instead: str


@dataclass(frozen=True, slots=True)
class DisposalRule:
    """Mirror of `eco2.rules.v1.DisposalRule`."""

    rule_id: str
    category: Category
    title: str = ""
    steps: tuple[str, ...] = ()
    why: str = ""
    container: str = ""
    exclusions: tuple[Exclusion, ...] = ()
    hazards: tuple[str, ...] = ()
    applied_tags: tuple[str, ...] = ()
    source: str = ""
    fee: str = ""
    when: str = ""
    place: str = ""
    candidate: Category | None = None


@dataclass(frozen=True, slots=True)
class MatchedRules:
    """The rules that apply, and what they are for.

    Attributes:
        found: The classification, with what the user's words say worked in.
        rules: As `eco2.scan.v1.Scan.rules`.
    """

    found: Classification
    rules: tuple[DisposalRule, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """Mirror of `eco2.rules.v1.Answer`."""

    text: str
    how: str = ""
    why: str = ""
    where: str = ""
    insufficiencies: tuple[str, ...] = ()
    rule_ids: tuple[str, ...] = ()
    provider: str = ""
    model: str = ""
    prompt_version: str = ""
    passed_over: tuple[ModelAttempt, ...] = ()
    when: str = ""
    choices: tuple[str, ...] = ()


class Verdict(StrEnum):
    """Mirror of `eco2.rules.v1.InterpretReplyResponse.Verdict`: what a reply says of the classification."""

    UNSPECIFIED = "UNSPECIFIED"
    CONFIRMED = "CONFIRMED"
    CORRECTED = "CORRECTED"
    DENIED = "DENIED"


@dataclass(frozen=True, slots=True)
class Interpretation:
    """What a reply means.

    Attributes:
        understood: Whether it settles or changes anything, or confirms what is there.
        found: The classification, with what the user said worked in.
        question: The question to answer from now on.
        region: The region from now on.
        message: One sentence to the user.
        verdict: What it says of the classification.
    """

    understood: bool
    found: Classification
    question: str
    region: str
    message: str
    verdict: Verdict = Verdict.UNSPECIFIED


@dataclass(frozen=True, slots=True)
class LatLng:
    """Mirror of `google.type.LatLng`: WGS 84 degrees."""

    latitude: float
    longitude: float


class OpeningState(StrEnum):
    """Mirror of `eco2.rules.v1.Opening.State`."""

    UNSPECIFIED = "UNSPECIFIED"
    OPEN = "OPEN"
    CLOSED = "CLOSED"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, slots=True)
class Opening:
    """Mirror of `eco2.rules.v1.Opening`."""

    state: OpeningState
    text: str = ""
    checked_time: datetime | None = None
    next_change_time: datetime | None = None
    may_differ_on_holidays: bool = False


@dataclass(frozen=True, slots=True)
class MapLink:
    """Mirror of `eco2.rules.v1.MapLink`."""

    provider: str
    uri: str


@dataclass(frozen=True, slots=True)
class Place:
    """Mirror of `eco2.rules.v1.Place`."""

    place_id: str
    name: str
    kind: str
    address: str
    location: LatLng
    distance_meters: int | None = None
    walking_minutes: int | None = None
    materials: tuple[str, ...] = ()
    opening_hours: str = ""
    is_sample: bool = False
    source: str = ""
    opening: Opening | None = None
    map_links: tuple[MapLink, ...] = ()
    phone: str = ""


class RegionLevel(StrEnum):
    """Mirror of `eco2.rules.v1.AppliedRegion.Level`."""

    UNSPECIFIED = "UNSPECIFIED"
    NATION = "NATION"
    PROVINCE = "PROVINCE"
    CITY = "CITY"
    DISTRICT = "DISTRICT"


@dataclass(frozen=True, slots=True)
class AppliedRegion:
    """Mirror of `eco2.rules.v1.AppliedRegion`."""

    code: str = ""
    key: str = ""
    display_name: str = ""
    level: RegionLevel = RegionLevel.UNSPECIFIED
    as_of: str = ""
    source: str = ""
    verified: bool = False
    asked: str = ""
    notice: str = ""


class Outlook(StrEnum):
    """Mirror of `eco2.rules.v1.EveningPlan.Outlook`."""

    UNSPECIFIED = "UNSPECIFIED"
    TONIGHT = "TONIGHT"
    LATER = "LATER"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, slots=True)
class EveningPlan:
    """Mirror of `eco2.rules.v1.EveningPlan`."""

    outlook: Outlook
    text: str = ""
    date: str = ""
    open_time: datetime | None = None
    close_time: datetime | None = None
    as_of: str = ""
    rule: DisposalRule | None = None
    region: AppliedRegion | None = None


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


class Results(msgspec.Struct, frozen=True, kw_only=True):
    """What a scan has so far; each stage fills its own part, once. A struct as the scan is, for the same reason."""

    vision: Classification | None = None
    rules: tuple[DisposalRule, ...] | None = None
    answer: Answer | None = None
    places: tuple[Place, ...] | None = None
    reward: Reward | None = None

    def with_answer(self, found: Classification, answer: Answer) -> "Results":
        """The same with another answer. A reward for another category is none for this one, unless it was put off."""
        same = self.vision is not None and self.vision.category == found.category
        put_off = self.reward is not None and self.reward.outcome is RewardOutcome.INSUFFICIENT
        return msgspec.structs.replace(
            self, vision=found, answer=answer, reward=self.reward if same or put_off else None
        )

    @property
    def awaits_reward(self) -> bool:
        """Whether a reward is still to be evaluated: of an answer, or of one that has become complete since."""
        if self.answer is None:
            return False
        settled = not self.answer.insufficiencies
        return self.reward is None or (settled and self.reward.outcome is RewardOutcome.INSUFFICIENT)
