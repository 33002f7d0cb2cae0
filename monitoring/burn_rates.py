"""Recording rules and alerts of an objective: several windows, several burn rates.

A burn rate of 1 spends the budget in exactly the objective's window. As the SRE workbook's chapter on alerting has it,
a long window says that it matters and a short one that it still goes on, so that an alert clears soon after the fault.

Bad events and all events are recorded as rates over five minutes, one series for each objective and namespace. Longer
windows are averages of these two: a ratio of averages, so that a busy hour counts for more than a quiet one, and a pod
that has gone has been counted. So each window is one rule for all objectives, and 28 days of one are 80,000 samples
rather than those of every pod.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from monitoring.durations import DAY, HOUR, MINUTE, TimeScale, duration
from monitoring.objectives import Objective

PERIOD = 28 * DAY

ERRORS = "eco2:slo_errors:rate5m"
EVENTS = "eco2:slo_events:rate5m"
OBJECTIVE = "eco2:slo_objective:ratio"
REMAINING = "eco2:slo_error_budget_remaining:ratio"

_SHORTEST = 5 * MINUTE
# Read from the recorded rates in an interval of their own: 28 days needn't be added up twice a minute.
_PERIOD_INTERVAL = 5 * MINUTE


@dataclass(frozen=True, slots=True)
class Burn:
    """A rate of spending at which somebody is told.

    Attributes:
        long: Seconds it has to last.
        short: Seconds after which its end is noticed.
        rate: How many times faster than the budget allows.
    """

    long: int
    short: int
    rate: float


# Of 28 days' budget: 2.1 % in an hour, 5.4 % in six; 10.7 % in a day, as much in three.
PAGE = (Burn(HOUR, 5 * MINUTE, 14.4), Burn(6 * HOUR, 30 * MINUTE, 6.0))
TICKET = (Burn(DAY, 2 * HOUR, 3.0), Burn(3 * DAY, 6 * HOUR, 1.0))

_WINDOWS = sorted({span for burn in PAGE + TICKET for span in (burn.long, burn.short)})


def ratio(window: int) -> str:
    """The recorded share of bad events, by objective and namespace; absent while there are no events.

    The name says the window that is meant, also where a test has shortened it.
    """
    return f"eco2:slo_error_ratio:rate{duration(window)}"


def recording_groups(objectives: Sequence[Objective], scale: TimeScale) -> list[Mapping[str, Any]]:
    """Rule groups that record what alerts and dashboards read, in order: later rules read earlier ones."""
    rates = [rule for each in objectives for rule in _rates(each, scale)]
    windows = [{"record": ratio(span), "expr": _ratio_over(span, scale)} for span in _WINDOWS]
    budget = [
        {"record": ratio(PERIOD), "expr": _ratio_over(PERIOD, scale)},
        {"record": REMAINING, "expr": f"1 - {ratio(PERIOD)} / on (slo) group_left () (1 - {OBJECTIVE})"},
    ]
    return [
        {"name": "eco2-slo-rates", "rules": [*rates, *windows]},
        {"name": "eco2-slo-budget", "interval": scale.duration(_PERIOD_INTERVAL), "rules": budget},
    ]


def alerts(objective: Objective, scale: TimeScale) -> list[Mapping[str, Any]]:
    """An objective's alerts: for whoever is on call, if it pages, and for the next working day."""
    urgent = "page" if objective.pages else "ticket"
    return [_alert(objective, urgent, PAGE, scale), _alert(objective, "ticket", TICKET, scale, speed="slow")]


def _rates(objective: Objective, scale: TimeScale) -> list[Mapping[str, Any]]:
    errors, events = scale.promql(objective.errors), scale.promql(objective.events)
    labels = {"slo": objective.name}
    none = f'sum by (namespace) ({EVENTS}{{slo="{objective.name}"}}) * 0'
    return [
        {"record": OBJECTIVE, "labels": labels, "expr": f"vector({objective.target})"},
        {"record": EVENTS, "labels": labels, "expr": events},
        # A counter that never counted has no series: that is no errors, not no figure.
        {"record": ERRORS, "labels": labels, "expr": f"({errors})\nor\n{none}"},
    ]


def _ratio_over(span: int, scale: TimeScale) -> str:
    if span == _SHORTEST:
        return f"{ERRORS} / ({EVENTS} > 0)"
    window = scale.duration(span)
    return f"avg_over_time({ERRORS}[{window}]) / (avg_over_time({EVENTS}[{window}]) > 0)"


def _alert(
    objective: Objective, severity: str, burns: Iterable[Burn], scale: TimeScale, speed: str = "fast"
) -> Mapping[str, Any]:
    return {
        "alert": objective.alert,
        "expr": "\nor\n".join(_burning(objective, burn, scale) for burn in burns),
        "labels": {"severity": severity, "slo": objective.name, "burn": speed},
        "annotations": {
            "summary": f"{objective.promise} The error budget is being spent too fast ({speed} burn).",
            "description": "{{ $value | humanizePercentage }} of events were bad; "
            f"{objective.budget:.3%} may be. Acts: {objective.owner}.",
        },
    }


def _burning(objective: Objective, burn: Burn, scale: TimeScale) -> str:
    chosen = f'{{slo="{objective.name}"}}'
    limit = f"{burn.rate:g} * {objective.budget:.6g}"
    window = scale.duration(burn.long)
    condition = f"{ratio(burn.long)}{chosen} > {limit} and {ratio(burn.short)}{chosen} > {limit}"
    if objective.least:
        counted = f"avg_over_time({ERRORS}{chosen}[{window}]) * {scale.seconds(burn.long):g}"
        condition += f" and {counted} >= {objective.least:g}"
    return f"({condition})"
