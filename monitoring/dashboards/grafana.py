"""Grafana's JSON of a dashboard, by the types and builders of its makers."""

import json
from collections.abc import Iterator

from grafana_foundation_sdk.builders import common as common_builders
from grafana_foundation_sdk.builders import dashboard as builders
from grafana_foundation_sdk.builders import prometheus, stat, timeseries
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import common
from grafana_foundation_sdk.models import dashboard as models

from monitoring.dashboards.boards import Board, Panel
from monitoring.rules import RUNBOOKS
from monitoring.targets import JOBS

_SOURCE = models.DataSourceRef(type_val="prometheus", uid="${datasource}")
_HEIGHT, _FIGURE_HEIGHT = 8, 4
_TAG = "eco2"
# Matches where a label is missing, too: outside of Kubernetes nothing has a namespace or a pod.
_ALL = ".*"


def text(board: Board) -> str:
    """A dashboard's file."""
    built = json.loads(json.dumps(_dashboard(board).build(), cls=JSONEncoder))
    return json.dumps(built, indent=2, ensure_ascii=False, sort_keys=True) + "\n"


def _dashboard(board: Board) -> builders.Dashboard:
    made = (
        builders.Dashboard(board.title)
        .uid(f"eco2-{board.name}")
        .description(board.description)
        .tags([_TAG])
        .time("now-3h", "now")
        .refresh("30s")
        .tooltip(models.DashboardCursorSync.CROSSHAIR)
        .readonly()
        .link(_others())
    )
    for variable in _variables():
        made.with_variable(variable)
    number = 0
    for row in board.rows:
        number += 1
        made.with_row(builders.Row(row.title).id(number))
        for panel in row.panels:
            number += 1
            made.with_panel(_panel(panel).id(number))
    return made


def _others() -> builders.DashboardLink:
    """A list of the other dashboards, which keeps what was chosen in this one."""
    link = builders.DashboardLink("Eco²").type(models.DashboardLinkType.DASHBOARDS).tags([_TAG])
    return link.include_vars(True).keep_time(True).as_dropdown(True)


def _variables() -> Iterator[builders.DatasourceVariable | builders.QueryVariable | builders.ConstantVariable]:
    yield builders.DatasourceVariable("datasource").label("Prometheus").type("prometheus")
    yield _label("namespace", f"up{{{JOBS}}}")
    yield _label("job", f'up{{{JOBS}, namespace=~"$namespace"}}')
    yield _label("pod", f'up{{{JOBS}, namespace=~"$namespace", job=~"$job"}}')
    yield builders.ConstantVariable("runbooks").value(RUNBOOKS)


def _label(name: str, series: str) -> builders.QueryVariable:
    """A variable of the values that a label has."""
    everything = models.VariableOption(text="All", value="$__all")
    return (
        builders.QueryVariable(name)
        .datasource(_SOURCE)
        .query(f"label_values({series}, {name})")
        .refresh(models.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(models.VariableSort.ALPHABETICAL_ASC)
        .multi(True)
        .include_all(True)
        .all_value(_ALL)
        .current(everything)
    )


def _panel(panel: Panel) -> timeseries.Panel | stat.Panel:
    made = _figure() if panel.figure else _graph(panel.limit is not None)
    made.title(panel.title).description(panel.description).unit(panel.unit).datasource(_SOURCE)
    made.height(_FIGURE_HEIGHT if panel.figure else _HEIGHT).span(panel.width)
    made.thresholds(_thresholds(panel)).links([_runbook(alert) for alert in panel.runbooks])
    for index, query in enumerate(panel.queries):
        target = prometheus.Dataquery().datasource(_SOURCE).ref_id(chr(ord("A") + index)).expr(query.expr)
        made.with_target(target.legend_format(query.legend or "__auto"))
    return made


def _graph(with_limit: bool) -> timeseries.Panel:
    mode = common.GraphThresholdsStyleMode.DASHED if with_limit else common.GraphThresholdsStyleMode.OFF
    style = common_builders.GraphThresholdsStyleConfig().mode(mode)
    made = timeseries.Panel().fill_opacity(10).axis_soft_min(0)
    return made.show_points(common.VisibilityMode.NEVER).thresholds_style(style)


def _figure() -> stat.Panel:
    last = common_builders.ReduceDataOptions().calcs(["lastNotNull"])
    return stat.Panel().color_mode(common.BigValueColorMode.VALUE).reduce_options(last)


def _thresholds(panel: Panel) -> builders.ThresholdsConfig:
    below, above = ("red", "green") if panel.good_above else ("green", "red")
    steps = [models.Threshold(value=None, color=below if panel.limit is not None else "blue")]
    if panel.limit is not None:
        steps.append(models.Threshold(value=panel.limit, color=above))
    return builders.ThresholdsConfig().mode(models.ThresholdsMode.ABSOLUTE).steps(steps)


def _runbook(alert: str) -> builders.DashboardLink:
    link = builders.DashboardLink(f"Runbook: {alert}").type(models.DashboardLinkType.LINK)
    return link.url(f"${{runbooks}}{alert}.md").target_blank(True)
