"""The categories and situations a hosted model may name: the rule book's own, in both languages."""

from collections.abc import Mapping
from dataclasses import dataclass

from vision_svc.classifiers.classification import WasteKind


@dataclass(frozen=True, slots=True)
class Taxonomy:
    """The categories and situations to choose from.

    Attributes:
        version: Of the rule book.
        kinds: By key: the names of the levels joined by "/". Users read these names, never the model's own words.
        tags: Keys of the situations.
    """

    version: str
    kinds: Mapping[str, WasteKind]
    tags: frozenset[str]
