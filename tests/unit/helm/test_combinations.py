"""Which values the chart is tried with."""

from itertools import combinations as pairs_of
from itertools import product

import yaml

from helm.combinations import combinations, laid_over
from helm.rendering import CHART


def test_each_two_choices_of_two_options_meet() -> None:
    """A fault of one option hardly ever needs more than another one beside it."""
    options = yaml.safe_load((CHART / "ci" / "options.yaml").read_text("utf-8"))
    met = {pair for name, _ in combinations() for pair in pairs_of(name.split("; "), 2)}
    wanted = {
        (f"{one}: {first}", f"{other}: {second}")
        for one, other in pairs_of(options, 2)
        for first, second in product(options[one], options[other])
    }

    assert wanted <= met


def test_values_are_laid_over_one_another_as_helm_does_it() -> None:
    below = {"a": {"b": 1, "c": [1, 2]}, "d": 1, "f": 1}

    assert laid_over(below, {"a": {"c": [3]}, "e": 0, "f": None}) == {"a": {"b": 1, "c": [3]}, "d": 1, "e": 0}
