"""The categories and situations a hosted model may name: the rule book's own, in both languages."""

from collections.abc import Mapping
from dataclasses import dataclass

from vision_svc.classifiers.classification import WasteKind


@dataclass(frozen=True, slots=True)
class Taxonomy:
    """What may be named.

    Attributes:
        version: Of the rule book.
        kinds: By key: the names of the levels joined by "/". The names people read are here, never the model's own.
        tags: Keys of the situations.
    """

    version: str
    kinds: Mapping[str, WasteKind]
    tags: frozenset[str]
