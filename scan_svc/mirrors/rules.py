"""What Rules says of a kind of waste, field by field as in its protos."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from scan_svc.mirrors.vision import Category, Classification, ModelAttempt


@dataclass(frozen=True, slots=True)
class Exclusion:
    """Mirror of `eco2.rules.v1.Exclusion`."""

    item: str
    instead: str


@dataclass(frozen=True, slots=True)
class Evening:
    """Mirror of `eco2.rules.v1.Evening`."""

    date: str
    open_time: datetime | None = None
    close_time: datetime | None = None


@dataclass(frozen=True, slots=True)
class TakeApartStep:
    """Mirror of `eco2.rules.v1.TakeApartStep`."""

    part: str
    how: str
    category: Category
    container: str = ""


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
    local_source: str = ""
    evenings: tuple[Evening, ...] = ()
    evenings_as_of: str = ""
    take_apart: tuple[TakeApartStep, ...] = ()
    object_id: str = ""


@dataclass(frozen=True, slots=True)
class MatchedRules:
    """The rules that apply, and what they are for.

    Attributes:
        found: The classification, with what the user's words say worked in.
        rules: As `eco2.scan.v1.Scan.rules`, then those of its `object_rules`.
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
    take_apart: tuple[TakeApartStep, ...] = ()


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


class RegionLevel(StrEnum):
    """Mirror of `eco2.rules.v1.AppliedRegion.Level`."""

    UNSPECIFIED = "UNSPECIFIED"
    NATION = "NATION"
    PROVINCE = "PROVINCE"
    CITY = "CITY"
    DISTRICT = "DISTRICT"
    BUILDING = "BUILDING"


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
    building: str = ""


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
class Collection:
    """Mirror of `eco2.rules.v1.Collection`."""

    streams: tuple[str, ...] = ()
    display_name: str = ""
    evenings: tuple[Evening, ...] = ()
    as_of: str = ""


@dataclass(frozen=True, slots=True)
class CollectionDays:
    """Mirror of `eco2.rules.v1.ListCollectionsResponse`."""

    collections: tuple[Collection, ...] = ()
    display_name: str = ""
