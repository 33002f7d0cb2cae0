"""Values that are tried together: of ci/options.yaml each two choices of two options meet in some combination."""

from collections.abc import Iterator, Mapping
from typing import Any

import covertable
import yaml

from helm.rendering import CHART, LOADER

Values = Mapping[str, Any]


def combinations() -> Iterator[tuple[str, Values]]:
    """What each is called, and its values. Their order and number don't change from run to run."""
    options = yaml.load((CHART / "ci" / "options.yaml").read_text("utf-8"), LOADER)
    for row in covertable.make({name: list(choices) for name, choices in options.items()}):
        values: dict[str, Any] = {}
        for option in options:
            values = laid_over(values, options[option][row[option]])
        yield "; ".join(f"{option}: {row[option]}" for option in options), values


def laid_over(below: Any, above: Any) -> Any:
    """Values as Helm merges them: maps by key, everything else replaced; null takes away what is below."""
    if not isinstance(below, dict) or not isinstance(above, dict):
        return above
    merged = dict(below)
    for key, value in above.items():
        if value is None and key in below:
            del merged[key]
        else:
            merged[key] = laid_over(below.get(key), value)
    return merged
