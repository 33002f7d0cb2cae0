"""Classifications: what a photo shows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from mesh.locale import Locale

Text = Mapping[Locale, str]
"""A text for users in the two languages."""


def text(ko: str, en: str) -> Text:
    """A text in the two languages."""
    return MappingProxyType({Locale.KO: ko, Locale.EN: en})


@dataclass(frozen=True, slots=True)
class Category:
    """A place in the taxonomy of the separate-discharge guide. The names are keys, Korean in every locale.

    Attributes:
        major: Such as 재활용폐기물.
        middle: Such as 플라스틱류; empty where the major has none, or it is unknown.
        minor: Such as 페트병; empty where it is unknown.
    """

    major: str
    middle: str = ""
    minor: str = ""


@dataclass(frozen=True, slots=True)
class WasteKind:
    """A kind of waste that a classifier can name.

    Attributes:
        category: Its category.
        name: Its name for users.
        material: Such as "metal"; empty where the kind doesn't imply one.
        form: Such as "bottle"; empty where the kind doesn't imply one.
        warning: Part of every answer about it, whatever the rules say.
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
        confidence: The classifier's confidence, 0 to 1.
    """

    kind: WasteKind
    confidence: float


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in a photo, in fractions of it: 0 at its left and upper edge, 1 at its right and lower one."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def area(self) -> float:
        """Its share of the photo."""
        return (self.right - self.left) * (self.bottom - self.top)

    def overlap(self, other: "Box") -> float:
        """Intersection over union, 0 to 1."""
        width = min(self.right, other.right) - max(self.left, other.left)
        height = min(self.bottom, other.bottom) - max(self.top, other.top)
        shared = max(0.0, width) * max(0.0, height)
        return shared / (self.area + other.area - shared)


@dataclass(frozen=True, slots=True)
class DetectedObject:
    """One of several things in a photo.

    Attributes:
        kind: What it is; UNKNOWN if the classifier isn't sure of it.
        confidence: In what the classifier thinks it is, 0 to 1.
        box: Where it is; None if unknown.
        tags: Situation tags from the closed list.
        material: Its material, if the classifier named one; else the kind's own applies.
        form: Its form, likewise.
        mixed: Whether several materials are joined in it; None if unknown.
    """

    kind: WasteKind
    confidence: float
    box: Box | None = None
    tags: Sequence[str] = ()
    material: str = ""
    form: str = ""
    mixed: bool | None = None


class ClassificationOutcome(StrEnum):
    """How a classification can end without an error; errors have the MODEL_ reasons of `mesh.reasons`."""

    SURE = "SURE"
    UNSURE = "UNSURE"
    NOT_WASTE = "NOT_WASTE"
    UNCLEAR = "UNCLEAR"


@dataclass(frozen=True, slots=True)
class ModelAttempt:
    """A classifier that was asked first and gave no classification."""

    model: str
    reason: str


@dataclass(frozen=True, slots=True)
class Classification:
    """What a photo shows.

    Attributes:
        kind: What it is; UNKNOWN when the classifier abstains.
        confidence: Of `kind`, 0 to 1; when abstaining, that of the best candidate.
        candidates: The best ones, most likely first.
        provider: The classifier: "offline" or a model's name.
        model: The exact model: file digest or snapshot name.
        tags: Situation tags from the closed list.
        mixed: Whether several materials are joined; None if unknown.
        material: Its material, if the classifier named one; else the kind's own applies.
        form: Its form, likewise.
        outcome: How it ended; `kind` is UNKNOWN unless it is SURE.
        others: The kinds of the other things in the photo, the most prominent first, each once.
        objects: All things in the photo, the most prominent first; empty if there is one, or no more than one is seen.
        prompt_version: Version of the prompt; empty for a model without one.
        passed_over: Classifiers that were asked before, in order.
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
    objects: Sequence[DetectedObject] = ()
    prompt_version: str = ""
    passed_over: Sequence[ModelAttempt] = ()


UNKNOWN = WasteKind(Category("미분류"), text("아직 알 수 없음", "Not identified"))
"""The kind of a photo that wasn't recognised."""
