"""What a region changes about the national rules."""

from collections.abc import Mapping
from dataclasses import dataclass

from mesh.locale import Text
from rules_svc.rulebook.collection import Collection, Stream
from rules_svc.rulebook.effects import Effect
from rules_svc.rulebook.taxonomy import Path


@dataclass(frozen=True, slots=True)
class Overlay:
    """What a region changes about the national rule.

    Attributes:
        key: The region, such as "서울특별시/마포구"; "대한민국" for the nation.
        as_of: The date of its source, ISO 8601; empty if the source has no date.
        source: Where it comes from.
        verified: Whether somebody checked it with the district.
        collections: How it collects, by stream.
        advice: Whom to ask; None if it was verified.
        differently: What it does differently from the national rule.
    """

    key: str
    as_of: str
    source: Text
    verified: bool
    collections: Mapping[Stream, Collection]
    advice: Text | None = None
    differently: tuple[Effect, ...] = ()

    def collection(self, stream: Stream | None) -> Collection | None:
        """How it collects a stream, or else the recyclables; None if the region's data has neither."""
        if stream is None:
            return None
        own = self.collections.get(stream)
        return own or (self.collections.get(Stream.RECYCLABLE) if stream.recyclable else None)

    def concerns(self, stream: Stream | None, path: Path) -> bool:
        """Whether it changes anything for a stream or a category."""
        return self.collection(stream) is not None or any(effect.reaches(path) for effect in self.differently)
