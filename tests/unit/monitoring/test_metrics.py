"""Every metric, label and value in a rule or a panel is one that is declared, or that Envoy or Prometheus tells."""

import re
from collections.abc import Callable, Iterable, Iterator

from tests.support import promql
from tests.support.series import OTHERS, OURS, PLACES, RECORDED, labels, values


def faults(check: Callable[[str], Iterable[object]]) -> list[str]:
    """What is wrong with any expression, and whose it is."""
    return [f"{each.of}: {fault}" for each in promql.expressions() for fault in check(each.text)]


def test_every_series_is_told_by_somebody() -> None:
    """An alert on a metric that nobody tells is silent for ever, and looks well."""
    assert faults(lambda text: promql.series(text) - {*OURS, *OTHERS, *RECORDED}) == []


def test_every_label_is_one_that_the_series_has() -> None:
    """What is chosen by a wrong label is nothing, and what is grouped by one is everything together."""

    def unknown(text: str) -> Iterator[object]:
        yield from (each for each in promql.matchers(text) if each.label not in labels(each.series) | PLACES)
        for kept, series in promql.groupings(text):
            yield from (label for label in kept if not any(label in labels(each) | PLACES for each in series))

    assert faults(unknown) == []


def test_every_value_is_one_that_the_label_takes() -> None:
    """As far as the values are a closed set: "failed" where it is called "gave_up" would never be found."""

    def unknown(text: str) -> Iterator[object]:
        for each in promql.matchers(text):
            closed = values(each.series).get(each.label) if each.series in OURS else None
            if closed and each.value not in ("", ".*"):
                alternatives = each.value.split("|") if each.operator.endswith("Re") else [each.value]
                yield from (one for one in alternatives if not any(re.fullmatch(one, value) for value in closed))

    assert faults(unknown) == []


def test_every_bound_is_one_of_the_histograms_buckets() -> None:
    """Between two buckets Prometheus knows nothing: the objective would never have a good event."""

    def unknown(text: str) -> Iterator[object]:
        for each in promql.matchers(text):
            buckets = OURS[each.series].buckets if each.label == "le" else ()
            if each.label == "le" and not any(re.fullmatch(each.value, f"{bound:g}") for bound in buckets):
                yield each

    assert faults(unknown) == []


def test_what_one_process_tells_for_all_is_never_added_up() -> None:
    """While one hands over to the next one, both tell it."""
    elected = {series for series, metric in OURS.items() if metric.elected}
    assert faults(lambda text: promql.summed(text) & elected) == []
