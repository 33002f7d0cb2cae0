"""The dashboards, as Grafana's JSON."""

from collections.abc import Mapping

from monitoring.dashboards import grafana
from monitoring.dashboards.edge import EDGE
from monitoring.dashboards.money import MONEY
from monitoring.dashboards.overview import OVERVIEW
from monitoring.dashboards.pipeline import PIPELINE

BOARDS = (OVERVIEW, PIPELINE, EDGE, MONEY)


def texts() -> Mapping[str, str]:
    """The files, by their names without extension."""
    return {board.name: grafana.text(board) for board in BOARDS}
