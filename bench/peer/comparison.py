"""The verdict: our figure beside the peer's, their ratio, and the ratio that is wanted."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from bench.mesh.report import Figures, aligned


@dataclass(frozen=True, slots=True)
class Promise:
    """One row of the table.

    Attributes:
        scenario: Its letter.
        figure: Which of its figures.
        title: What that is, with its unit.
        ratio: Wanted of ours to the peer's: at most this, or at least.
        more: Whether more is better.
        absolute: Our figure wanted whatever the peer's is: at most this.
    """

    scenario: str
    figure: str
    title: str
    ratio: float
    more: bool = False
    absolute: float | None = None

    @property
    def wanted(self) -> str:
        """In words."""
        also = f", and <= {self.absolute:g} itself" if self.absolute is not None else ""
        return f"{'>=' if self.more else '<='} {self.ratio:g}{also}"

    def holds(self, ours: float, ratio: float) -> bool:
        """Whether it is kept."""
        kept = ratio >= self.ratio if self.more else ratio <= self.ratio
        return kept and (self.absolute is None or ours <= self.absolute)


PROMISES: Sequence[Promise] = (
    Promise("C", "scans_per_second", "complete scans/s, model 0 ms", 3, more=True),
    Promise("C", "cpu_ms", "CPU ms a scan", 0.33),
    Promise("E", "last_ratio", "500 at once, model 2 + 2 s: last / ideal", 0.35, absolute=1.6),
    Promise("A", "per_second_100", "creations/s, 100 clients", 3, more=True),
    Promise("A", "per_second_500", "creations/s, 500 clients", 3, more=True),
    Promise("B", "p50_ms", "idle overhead, pushed: p50 ms", 0.5),
    Promise("B", "p99_ms", "idle overhead, pushed: p99 ms", 0.5),
    Promise("F", "running_us", "status poll of a running scan: CPU us", 1),
    Promise("F", "finished_us", "status poll of a finished scan: CPU us", 1),
    Promise("D", "p50_ms_200", "push lag, 200 watchers: p50 ms", 1),
    Promise("D", "p99_ms_200", "push lag, 200 watchers: p99 ms", 1),
    Promise("D", "p99_ms_1000", "push lag, 1,000 watchers: p99 ms", 2),
    Promise("D", "p99_ms_5000", "push lag, 5,000 watchers: p99 ms", 2),
    Promise("G", "cpu_ms", "JPEG of 12 megapixels: CPU ms a scan", 0.35),
    Promise("M", "pss_mib", "PSS MiB after few scans", 0.4),
)


@dataclass(frozen=True, slots=True)
class Measured:
    """What one system showed in one scenario of one round.

    Attributes:
        scenario: Its letter.
        target: "ours" or "peer".
        round: Which round, from 0.
        figures: By name; none if it failed.
        machine: What else the machine did meanwhile.
        error: Why there are none.
    """

    scenario: str
    target: str
    round: int
    figures: Figures
    machine: Figures
    error: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table, as text; `ratio` and `holds` are None where a system failed."""

    title: str
    ours: str
    peer: str
    ratio: float | None
    wanted: str
    holds: bool | None


def rows(measured: Sequence[Measured]) -> list[Row]:
    """A row for each promise that something is known of: medians over the rounds, and their ratio."""
    found = []
    for promise in PROMISES:
        ours, peer = (_values(measured, promise, target) for target in ("ours", "peer"))
        if ours or peer or any(one.scenario == promise.scenario for one in measured):
            found.append(_row(promise, ours, peer))
    return found


def table(lines: Sequence[Row]) -> str:
    """The rows in Markdown, padded so that they also read well in a terminal."""
    verdicts = {True: "holds", False: "MISSED", None: "-"}
    return aligned(
        [
            ("", "ours", "the same-work peer", "ratio", "wanted", ""),
            *((one.title, one.ours, one.peer, "-" if one.ratio is None else f"{one.ratio:.2f}", one.wanted,
               verdicts[one.holds]) for one in lines),
        ]
    )  # fmt: skip


def _values(measured: Sequence[Measured], promise: Promise, target: str) -> list[float]:
    return [
        one.figures[promise.figure]
        for one in measured
        if one.scenario == promise.scenario and one.target == target and promise.figure in one.figures
    ]


def _row(promise: Promise, ours: Sequence[float], peer: Sequence[float]) -> Row:
    told = (promise.title, _cell(ours), _cell(peer))
    if not ours or not peer or not median(peer):
        return Row(*told, None, promise.wanted, None)
    ratio = median(ours) / median(peer)
    return Row(*told, ratio, promise.wanted, promise.holds(median(ours), ratio))


def _cell(values: Sequence[float]) -> str:
    """The median, and the least and the greatest where there are several."""
    if not values:
        return "failed"
    spread = f" [{_short(min(values))}..{_short(max(values))}]" if len(values) > 1 else ""
    return _short(median(values)) + spread


def _short(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
