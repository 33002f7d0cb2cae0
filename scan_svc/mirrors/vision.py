"""What Vision says of a photo, field by field as in its protos."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

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

    @property
    def path(self) -> str:
        """Its parts with slashes between, such as 재활용폐기물/금속류."""
        return "/".join(filter(None, (self.major, self.middle, self.minor)))


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
class BoundingBox:
    """Mirror of `eco2.vision.v1.BoundingBox`: fractions of the photo."""

    left: float
    top: float
    right: float
    bottom: float


@dataclass(frozen=True, slots=True)
class VideoFrame:
    """Mirror of `eco2.vision.v1.VideoFrame`."""

    index: int
    time: timedelta
    image_url: str


@dataclass(frozen=True, slots=True)
class DetectedObject:
    """Mirror of `eco2.vision.v1.DetectedObject`."""

    object_id: str
    category: Category
    display_name: str = ""
    confidence: float | None = None
    tags: tuple[str, ...] = ()
    material: str = ""
    form: str = ""
    mixed: bool | None = None
    box: BoundingBox | None = None
    frame: VideoFrame | None = None


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
    objects: tuple[DetectedObject, ...] = ()

    @property
    def sighting(self) -> Sighting:
        """What the classifier said, whatever the user says."""
        return self.seen or Sighting(self.category, self.display_name, self.confidence, self.provider, self.model)

    def said_to_be(self, category: Category, display_name: str) -> "Classification":
        """The same with a category that the user's own words name; what described another one is left out."""
        return replace(
            self, category=category, display_name=display_name, provider=USER, seen=self.sighting, model="",
            prompt_version="", material="", form="", confidence=None, candidates=(), warning="",
            objects=self._renamed(category, display_name),
        )  # fmt: skip

    def _renamed(self, category: Category, display_name: str) -> tuple[DetectedObject, ...]:
        """The objects, the most prominent one with this category; unchanged if another of them has it."""
        if not self.objects or any(one.category == category for one in self.objects):
            return self.objects
        first, *others = self.objects
        named = replace(first, category=category, display_name=display_name, confidence=None, material="", form="")
        return (named, *others)


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

    @staticmethod
    def sum(before: "Usage | None", now: "Usage | None") -> "Usage | None":
        """What all tries of a stage have cost; None if nothing."""
        return before + now if before and now else before or now

    @classmethod
    def of_failure(cls, metadata: Mapping[str, str]) -> "Usage | None":
        """What a peer paid for an answer it couldn't use, by the metadata of its error; None if it paid nothing."""
        figures = {
            name: metadata.get(name, "0") for name in ("input_tokens", "output_tokens", "cost_micro_usd", "calls")
        }
        if not all(figure.isdecimal() for figure in figures.values()) or not any(map(int, figures.values())):
            return None
        return cls(metadata.get("model", ""), **{name: int(figure) for name, figure in figures.items()})
