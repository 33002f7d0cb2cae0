"""What categories and situations are called in a reader's language; the API's own keys are Korean."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Self

from eco2.rules.v1 import rules_service_pb2
from eco2.vision.v1 import classification_pb2
from mesh.locale import Locale

_SEPARATOR = " › "


@dataclass(frozen=True, slots=True)
class Names:
    """Names by key. What has none is left out in English, and called by its key in Korean.

    Attributes:
        locale: Their language.
        categories: By the keys from the major category down.
        situations: By the key of a situation tag.
    """

    locale: Locale
    categories: Mapping[tuple[str, ...], str] = field(default_factory=dict)
    situations: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, taxonomy: rules_service_pb2.GetTaxonomyResponse, locale: Locale) -> Self:
        """Those of a taxonomy that was asked for in this language."""
        tags = {tag.key: tag.display_name for tag in taxonomy.tags}
        return cls(locale, dict(_walk(taxonomy.majors)), tags)

    def level(self, *keys: str) -> str:
        """The name of the category with these keys, the last one's alone; may be empty."""
        return self.categories.get(keys) or self._key(keys[-1])

    def path(self, category: classification_pb2.Category) -> str:
        """The names from the major category down; may be empty."""
        keys = tuple(filter(None, (category.major, category.middle, category.minor)))
        return _SEPARATOR.join(filter(None, (self.level(*keys[: depth + 1]) for depth in range(len(keys)))))

    def tags(self, keys: Iterable[str]) -> str:
        """The situations' names; may be empty."""
        return ", ".join(filter(None, (self.situations.get(key) or self._key(key) for key in keys)))

    def _key(self, key: str) -> str:
        return key.replace("_", " ") if self.locale is Locale.KO else ""


def _walk(
    nodes: Iterable[rules_service_pb2.TaxonomyNode], above: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], str]]:
    for node in nodes:
        yield (*above, node.key), node.display_name
        yield from _walk(node.children, (*above, node.key))
