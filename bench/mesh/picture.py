"""The curves of a run as one picture: where an average says "fast", a curve shows for whom it wasn't."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import matplotlib as mpl
import numpy as np

from bench.mesh.report import Outcome

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_WIDTH, _HEIGHT = 7.0, 4.2  # inches a panel
# Resolution of the far end: half of the panel is for the slowest tenth.
_TICKS = (0, 50, 90, 99, 99.9)


def draw(outcomes: Mapping[str, Outcome], titles: Mapping[str, str], file: Path) -> None:
    """Draws a panel for each scenario that has curves: milliseconds over the share of requests that took no longer.

    Args:
        outcomes: By the scenario's letter.
        titles: What each scenario is about.
        file: Where the picture goes.
    """
    mpl.use("Agg")
    from matplotlib import pyplot  # after the backend is chosen

    shown = [letter for letter, outcome in outcomes.items() if outcome.curves]
    if not shown:
        return
    columns = min(2, len(shown))
    lines = -(-len(shown) // columns)
    figure, panels = pyplot.subplots(lines, columns, figsize=(_WIDTH * columns, _HEIGHT * lines), squeeze=False)
    for panel in panels.flat[len(shown) :]:
        panel.remove()
    for letter, panel in zip(shown, panels.flat, strict=False):
        _draw_one(panel, f"{letter}: {titles[letter]}", outcomes[letter])
    figure.tight_layout()
    figure.savefig(file, format="svg", metadata={"Date": None})
    pyplot.close(figure)


def _draw_one(panel: "Axes", title: str, outcome: Outcome) -> None:
    for name, values in outcome.curves.items():
        if values:
            shares = np.linspace(0, 100, len(values))
            panel.plot(_stretched(shares), np.maximum(values, 0.1), label=name, linewidth=1.4)
    panel.set_title(title, loc="left", fontsize=10)
    panel.set_yscale("log")
    panel.set_ylabel("ms")
    panel.set_xlabel("share of all that took no longer, %")
    panel.set_xticks(_stretched(np.array(_TICKS)), [f"{tick:g}" for tick in _TICKS])
    panel.grid(visible=True, which="both", linewidth=0.3)
    panel.legend(fontsize=7)


def _stretched(shares: "np.typing.NDArray[np.float64]") -> "np.typing.NDArray[np.float64]":
    """Nines at equal distances: 90, 99, 99.9."""
    return -np.log10(1 - np.minimum(shares, 99.95) / 100)
