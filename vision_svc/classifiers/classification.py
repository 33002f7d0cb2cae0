"""What a photo shows, in the words of the domain."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from mesh.locale import Locale

Text = Mapping[Locale, str]
"""Something a person reads, in the two languages."""


def text(ko: str, en: str) -> Text:
    """A text in the two languages."""
    return MappingProxyType({Locale.KO: ko, Locale.EN: en})


@dataclass(frozen=True, slots=True)
class Category:
    """A place in the taxonomy of the separate-discharge guide. The names are keys, Korean in every locale.

    Attributes:
        major: Such as 재활용폐기물.
        middle: Such as 플라스틱류; empty where the major has none, or it can't be told.
        minor: Such as 페트병; empty where it can't be told.
    """

    major: str
    middle: str = ""
    minor: str = ""


@dataclass(frozen=True, slots=True)
class WasteKind:
    """A kind of thing a classifier can name.

    Attributes:
        category: Where it belongs.
        name: What people call it.
        material: Such as "metal"; empty where the kind doesn't imply one.
        form: Such as "bottle"; empty where the kind doesn't imply one.
        warning: What must be said with this answer whatever the rules say.
    """

    category: Category
    name: Text
    material: str = ""
    form: str = ""
    warning: Text | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """A kind the classifier thinks possible.

    Attributes:
        kind: What it may be.
        confidence: The share of the classifier's belief, 0 to 1.
    """

    kind: WasteKind
    confidence: float


class ClassificationOutcome(StrEnum):
    """How a look at a photo can end well. How it can fail is told by the MODEL_ reasons of `mesh.reasons`."""

    SURE = "SURE"
    UNSURE = "UNSURE"
    NOT_WASTE = "NOT_WASTE"
    UNCLEAR = "UNCLEAR"


@dataclass(frozen=True, slots=True)
class ModelAttempt:
    """A classifier that was asked first and gave no opinion."""

    model: str
    reason: str


@dataclass(frozen=True, slots=True)
class Classification:
    """What a photo shows.

    Attributes:
        kind: What it is; UNKNOWN when the classifier abstains.
        confidence: Belief in `kind`, 0 to 1; when abstaining, the belief in the best candidate.
        candidates: The best ones, most likely first.
        provider: Which classifier spoke: "offline" or a model's name.
        model: The exact model: file digest or snapshot name.
        tags: Situation tags from the closed list.
        mixed: Whether several materials are joined; None when the classifier can't tell.
        material: What it is made of, where the classifier saw that; else the kind's own counts.
        form: Its form, likewise.
        outcome: How the look ended; `kind` is UNKNOWN unless it is SURE.
        others: The other things in the photo, the most prominent first.
        prompt_version: Version of the prompt; empty for a model without one.
        passed_over: Who was asked before, in order.
    """

    kind: WasteKind
    confidence: float
    candidates: Sequence[Candidate]
    provider: str
    model: str
    tags: Sequence[str] = ()
    mixed: bool | None = None
    material: str = ""
    form: str = ""
    outcome: ClassificationOutcome = ClassificationOutcome.SURE
    others: Sequence[Candidate] = ()
    prompt_version: str = ""
    passed_over: Sequence[ModelAttempt] = ()


UNKNOWN = WasteKind(Category("미분류"), text("아직 알 수 없음", "Not identified"))
"""The honest "I don't know"."""
