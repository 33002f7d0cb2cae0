"""What a dashboard shows, as data; `monitoring.dashboards.grafana` makes Grafana's JSON of it.

Queries choose by the dashboard's variables: `$ours` stands for namespace, job and pod, `$release` for the namespace
alone, which recorded series have.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from string import Template

OURS = 'namespace=~"$namespace", job=~"$job", pod=~"$pod"'
RELEASE = 'namespace=~"$namespace"'


@dataclass(frozen=True, slots=True)
class Query:
    """One line or several.

    Attributes:
        promql: The expression, with `$ours` or `$release` within its selectors.
        legend: What a line is called, with Grafana's placeholders for labels; empty: by all its labels.
    """

    promql: str
    legend: str = ""

    @property
    def expr(self) -> str:
        """The expression as Grafana gets it: its own variables are still in it."""
        return Template(self.promql).safe_substitute(ours=OURS, release=RELEASE)


@dataclass(frozen=True, slots=True)
class Panel:
    """A graph, or a figure.

    Attributes:
        title: A few words.
        description: What to read from it.
        unit: One of Grafana's.
        queries: What it shows.
        limit: The value that an objective or an alert names, drawn as a line.
        good_above: Whether values above the limit are the good ones.
        runbooks: Alerts whose pages it links to.
        figure: Shown as a number rather than over time.
        width: Of 24 columns.
    """

    title: str
    description: str
    unit: str
    queries: Sequence[Query]
    limit: float | None = None
    good_above: bool = False
    runbooks: Sequence[str] = ()
    figure: bool = False
    width: int = 8


@dataclass(frozen=True, slots=True)
class Row:
    """Panels that belong together."""

    title: str
    panels: Sequence[Panel]


@dataclass(frozen=True, slots=True)
class Board:
    """A dashboard.

    Attributes:
        name: Its file and its uid.
        title: What Grafana lists it as.
        description: Who looks at it for what.
        rows: What it shows.
    """

    name: str
    title: str
    description: str
    rows: Sequence[Row]
