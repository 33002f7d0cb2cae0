"""What the labels mean agrees with the rest of the product."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from mesh.locale import Locale
from vision_svc.classifiers.classification import UNKNOWN, Category, WasteKind
from vision_svc.classifiers.labels import GROUP_OF, GROUPS, KINDS

_TAXONOMY = Path(__file__).parents[4] / "rules_svc" / "data" / "taxonomy"


@pytest.fixture(scope="module")
def taxonomy() -> Mapping[Category, Mapping[str, str]]:
    """Names of the rule book's categories, by category."""
    files = [yaml.safe_load(file.read_text("utf-8")) for file in _TAXONOMY.glob("*.yaml")]
    return {
        category: name
        for file in files
        for category, name in _walk(file["categories"], tuple(filter(None, [file.get("below")])))
    }


def _walk(nodes: list[dict[str, Any]], above: tuple[str, ...]) -> Iterator[tuple[Category, Mapping[str, str]]]:
    for node in nodes:
        path = (*above, node["key"])
        # Majors without middles carry minors; Vision never names those.
        yield Category(*path), node["name"]
        yield from _walk(node.get("children", []), path)


@pytest.mark.parametrize("kind", [*KINDS.values(), *GROUPS.values(), UNKNOWN], ids=lambda kind: kind.name[Locale.EN])
def test_every_kind_is_in_the_rule_book_by_the_same_name(
    taxonomy: Mapping[Category, Mapping[str, str]], kind: WasteKind
) -> None:
    """Else a scan would end without rules, or show two names for one thing."""
    assert {str(locale): name for locale, name in kind.name.items()} == taxonomy[kind.category]


def test_every_grouped_label_and_group_has_a_meaning() -> None:
    """A label without one would fail at the first photo that shows it."""
    assert set(GROUP_OF) <= set(KINDS)
    assert set(GROUP_OF.values()) == set(GROUPS)


def test_what_the_model_never_recognises_is_not_promised() -> None:
    """Batteries, lamps, styrofoam, and clear PET told from coloured."""
    middles = {kind.category.middle for kind in KINDS.values()}
    assert middles.isdisjoint({"전지", "조명제품", "발포합성수지", "무색페트병"})
