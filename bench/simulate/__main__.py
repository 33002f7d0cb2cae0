"""`make simulate`: the queueing that the benchmark measured, simulated; and a day under several rules for scaling."""

from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

from bench.simulate.day import Day, live
from bench.simulate.fleet import Pace
from bench.simulate.machine import RESULTS, compare
from bench.simulate.picture import draw
from bench.simulate.rules import CHOSEN, DOCUMENTS, PEAK, SLOTS, TRIED

_PICTURE = Path(__file__).parents[2] / "docs" / "images" / "scaling-day.svg"


def main() -> None:
    """`python -m bench.simulate`."""
    print(f"Against {RESULTS.name}:\n\n| | measured | simulated | apart |\n|---|---|---|---|")
    for one in compare():
        print(f"| {one.name} | {one.measured:.2f} | {one.simulated:.2f} | {one.apart:.0%} |")
    with ProcessPoolExecutor() as processes:
        days = list(processes.map(partial(live, peak=PEAK, slots=SLOTS, pace=Pace()), TRIED))
    print("\n| rules | pod hours | wait p50 / p95 / p99 / longest, s | calls cut short |\n|---|---|---|---|")
    for day in days:
        print(_row(day))
    draw([day for day in days if day.rules in (DOCUMENTS, CHOSEN)], PEAK, _PICTURE)
    print(f"\nDrawn in {_PICTURE}")


def _row(day: Day) -> str:
    waits = " / ".join(f"{seconds:.1f}" for seconds in (day.p50, day.p95, day.p99, day.worst))
    return f"| {day.rules.name} | {day.pod_hours:.0f} | {waits} | {day.cut} |"


if __name__ == "__main__":
    main()
