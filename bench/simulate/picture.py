"""The curves of a day: what came, the pods there were, and what waited."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib

matplotlib.use("svg")

from matplotlib import pyplot

from bench.simulate.day import Day, rate_at

_EVERY = 8  # of the looks, four a minute, so that the file stays small


def draw(days: Sequence[Day], peak: float, file: Path) -> None:
    """Draws days one below the other."""
    figure, rows = pyplot.subplots(len(days), 1, figsize=(9, 2.6 * len(days)), sharex=True, squeeze=False)
    for day, (axes,) in zip(days, rows, strict=True):
        curve = day.curve[::_EVERY]
        hours = [second / 3600 for second, _, _ in curve]
        axes.fill_between(hours, [pods for _, pods, _ in curve], step="post", alpha=0.3, label="pods")
        axes.plot(hours, [waiting for _, _, waiting in curve], linewidth=0.7, color="C3", label="scans waiting")
        arriving = [10 * rate_at(peak, second) for second, _, _ in curve]
        axes.plot(hours, arriving, linewidth=0.9, color="C0", label="scans in ten seconds")
        axes.set_title(f"{day.rules.name}: p95 {day.p95:.0f} s, {day.pod_hours:.0f} pod hours", fontsize=9, loc="left")
        axes.set_xlim(0, 24)
    rows[0][0].legend(fontsize=8, loc="upper left")
    rows[-1][0].set_xlabel("hour of the day")
    figure.tight_layout()
    file.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(file, metadata={"Date": None})
    pyplot.close(figure)
