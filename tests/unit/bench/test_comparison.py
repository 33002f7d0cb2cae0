"""The table of `make bench-peer`: what it says of a run follows from the run alone."""

import pytest

from bench.peer.comparison import PROMISES, Measured, rows, table
from bench.peer.scenarios import CREATORS, SCENARIOS, WATCHERS


def measured(target: str, number: int, scenario: str = "C", **figures: float) -> Measured:
    return Measured(scenario, target, number, figures, {})


def test_a_ratio_is_that_of_the_medians_and_the_spread_is_told() -> None:
    ours = [measured("ours", number, scans_per_second=rate) for number, rate in enumerate((90, 10, 60))]
    peer = [measured("peer", number, scans_per_second=rate) for number, rate in enumerate((20, 40, 15))]
    rate, cpu = rows([*ours, *peer])
    assert (rate.ratio, rate.holds) == (3.0, True)
    assert (rate.ours, rate.peer) == ("60 [10..90]", "20 [15..40]")
    assert (cpu.ours, cpu.holds) == ("failed", None)


@pytest.mark.parametrize(("ours", "peer", "holds"), [(33, 100, True), (34, 100, False)])
def test_less_cpu_is_better(ours: float, peer: float, holds: bool) -> None:
    found = rows([measured("ours", 0, cpu_ms=ours), measured("peer", 0, cpu_ms=peer)])
    assert next(row.holds for row in found if row.title == "CPU ms a scan") is holds


@pytest.mark.parametrize(("ours", "holds"), [(1.6, True), (1.7, False)])
def test_a_crowd_must_also_be_served_in_its_own_right(ours: float, holds: bool) -> None:
    """Half of a bad figure is still a bad figure."""
    (row,) = rows([measured("ours", 0, "E", last_ratio=ours), measured("peer", 0, "E", last_ratio=6.0)])
    assert row.holds is holds


def test_who_failed_is_named_and_not_judged() -> None:
    failed = Measured("E", "peer", 0, {}, {}, "Refused('a scan failed')")
    (row,) = rows([measured("ours", 0, "E", last_ratio=1.2), failed])
    assert (row.ours, row.peer, row.ratio, row.holds) == ("1.2", "failed", None, None)


def test_a_scenario_that_did_not_run_has_no_row() -> None:
    assert rows([]) == []


def test_the_table_is_markdown_in_columns() -> None:
    lines = table(rows([measured("ours", 0, "M", pss_mib=619), measured("peer", 0, "M", pss_mib=1130)])).splitlines()
    assert [cell.strip() for cell in lines[-1].strip("|").split("|")] == [
        "PSS MiB after few scans", "619", "1,130", "0.55", "<= 0.4", "MISSED",
    ]  # fmt: skip
    assert len({len(line) for line in lines}) == 1


def test_every_promise_is_measured_by_some_scenario() -> None:
    """Figures that stand for a number of clients or watchers are those that are driven."""
    assert {promise.scenario for promise in PROMISES} == set(SCENARIOS)
    numbers = {int(tail) for one in PROMISES if (tail := one.figure.rpartition("_")[2]).isdigit()}
    assert numbers == {*WATCHERS, *CREATORS}
