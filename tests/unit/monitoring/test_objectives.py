"""The objectives: that they can be reached and missed, and that docs/slo.md tells them as they are."""

import re
from pathlib import Path

import grpc
import pytest

from mesh.reasons import Reason
from monitoring.burn_rates import PAGE, PERIOD, TICKET
from monitoring.durations import duration
from monitoring.objectives import Objective
from monitoring.promises import PROMISES, SERVER_FAULTS, USER_FAULTS
from tests.support.documents import ROOT

SLO = (ROOT / "docs" / "slo.md").read_text("utf-8")


def rows(heading: str) -> list[list[str]]:
    """The rows of a section's first table, without its head."""
    section = SLO.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[2:]]


def test_the_page_tells_each_objective() -> None:
    """Whoever reads it must not be promised something else than what is watched."""
    told = {(name.strip("`"), promise, target, owner) for name, promise, target, _, owner in rows("Objectives")}
    assert told == {(each.name, each.promise, f"{each.target * 100:g} %", each.owner) for each in PROMISES}
    assert [name.strip("`") for name, *_ in rows("How each is measured")] == [each.name for each in PROMISES]


def test_the_page_tells_what_may_be_bad() -> None:
    """A share is abstract; so many of a million, or so many hours, can be imagined."""
    may_be_bad = {name.strip("`"): figure for name, _, _, figure, _ in rows("Objectives")}
    for each in PROMISES:
        hours, events = f"{PERIOD * each.budget / 3600:.1f} hours", f"{1e6 * each.budget:,.0f} in a million"
        assert may_be_bad[each.name] == (events if each.least else hours)


def test_the_page_tells_each_burn_rate() -> None:
    """The windows are what people ask first when they are woken."""
    spans = {"1 h": "1h", "5 min": "5m", "6 h": "6h", "30 min": "30m", "1 d": "1d", "2 h": "2h", "3 d": "3d"}
    told = [
        (severity, spans[long], spans[short], float(rate), spent)
        for severity, long, short, rate, spent in rows("When somebody is told")
    ]
    assert told == [
        (
            severity,
            duration(burn.long),
            duration(burn.short),
            burn.rate,
            f"{burn.rate * burn.long / PERIOD:.1%}"[:-1] + " %",
        )
        for severity, burns in (("page", PAGE), ("ticket", TICKET))
        for burn in burns
    ]


@pytest.mark.parametrize("objective", PROMISES, ids=lambda each: each.name)
def test_each_burn_rate_can_be_reached(objective: Objective) -> None:
    """14.4 times a budget of a tenth would be more than everything: it could never page."""
    assert max(burn.rate for burn in PAGE) * objective.budget < 1


def test_faults_are_named_as_they_are_told() -> None:
    """A name that nobody tells would be counted among the wrong ones for ever."""
    assert [name for name in USER_FAULTS.split("|") if not any(re.fullmatch(name, each) for each in Reason)] == []
    assert set(SERVER_FAULTS.split("|")) <= {code.name for code in grpc.StatusCode}


def test_the_page_names_those_that_never_page() -> None:
    """Who is on call for them must know that nobody calls."""
    (sentence,) = re.findall(r"^(.*) never page:", SLO.replace("\n", " ").replace("  ", "\n"), re.MULTILINE)
    assert set(re.findall(r"`([a-z-]+)`", sentence.rsplit("|", 1)[-1])) == {
        each.name for each in PROMISES if not each.pages
    }


def test_the_file_is_here() -> None:
    """The page says where to look."""
    assert [
        path for path in re.findall(r"`((?:monitoring|tests)/[\w/]+\.py)`", SLO) if not Path(ROOT, path).is_file()
    ] == []
