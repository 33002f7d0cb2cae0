"""The outcome: figures, and rows that hold them against the promises of product.md and the machine's own limits."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

RESULTS = Path(__file__).parents[1] / "results"

_POINTS = 1001

Figures = Mapping[str, float]
# A curve: how the durations spread, as so many quantiles in milliseconds from the smallest to the largest.
Curve = Sequence[float]


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table.

    Attributes:
        scenario: Its letter and name.
        figure: What was measured, in words.
        value: The outcome, as text.
        promise: What product.md promises; empty for what is only told.
        limit: What the machine allowed in this run; empty where there is no such thing.
        holds: Whether the promise is kept; None where there is none.
    """

    scenario: str
    figure: str
    value: str
    promise: str = ""
    limit: str = ""
    holds: bool | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one scenario found.

    Attributes:
        rows: For the table.
        figures: Everything measured, by name of the measurement.
        curves: How its durations spread, by name.
    """

    rows: Sequence[Row]
    figures: Mapping[str, Figures]
    curves: Mapping[str, Curve] = field(default_factory=dict)


def curve(seconds: Sequence[float]) -> Curve:
    """Quantiles of durations, in milliseconds."""
    if not len(seconds):
        return []
    quantiles = np.quantile(np.asarray(seconds), np.linspace(0, 1, _POINTS), method="inverted_cdf")
    return [round(float(value) * 1000, 3) for value in quantiles]


def table(rows: Sequence[Row]) -> str:
    """The rows as a table in Markdown, padded so that it also reads well in a terminal."""
    verdicts = {True: "holds", False: "MISSED", None: ""}
    head: tuple[str, ...] = ("scenario", "figure", "measured", "promise", "limit of the machine", "verdict")
    return aligned(
        [
            head,
            *((row.scenario, row.figure, row.value, row.promise, row.limit, verdicts[row.holds]) for row in rows),
        ]
    )


def aligned(lines: Sequence[tuple[str, ...]]) -> str:
    """A table in Markdown with its columns padded; the first line is its head."""
    head, *rest = lines
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    dashes = tuple("-" * width for width in widths)
    return "\n".join(
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |"
        for line in (head, dashes, *rest)
    )


def keep(about: Mapping[str, str], outcomes: Mapping[str, Outcome], name: str) -> Path:
    """Writes everything down as JSON; returns where."""
    content = {
        "rows": [asdict(row) for outcome in outcomes.values() for row in outcome.rows],
        "figures": {letter: outcome.figures for letter, outcome in outcomes.items()},
        "curves": {letter: outcome.curves for letter, outcome in outcomes.items() if outcome.curves},
    }
    return write(about, content, name)


def write(about: Mapping[str, str], content: Mapping[str, Any], name: str) -> Path:
    """Writes figures down as JSON, with the moment and the machine; returns where."""
    taken_at = datetime.now(UTC)
    RESULTS.mkdir(exist_ok=True)
    file = RESULTS / f"{name}-{taken_at:%Y%m%dT%H%M%SZ}.json"
    whole = {"taken_at": taken_at.isoformat(timespec="seconds"), "machine": about, **content}
    file.write_text(json.dumps(whole, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return file
