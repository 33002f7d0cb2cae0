"""The file of rules that Prometheus loads: objectives first, then alerts by what they are about."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from monitoring import burn_rates
from monitoring.causes import CAUSES
from monitoring.durations import TimeScale
from monitoring.promises import PROMISES

# Where the page of an alert lies; the chart puts its own address in the place of it.
RUNBOOKS = "docs/runbooks/"

_HEADING = "# Written by `make gen` from monitoring/. docs/slo.md says what it promises, docs/runbooks/ what to do.\n"


def groups(scale: TimeScale) -> list[Mapping[str, Any]]:
    """All rule groups, in the order they are to be evaluated in."""
    burning = [rule for each in PROMISES for rule in burn_rates.alerts(each, scale)]
    return [
        *burn_rates.recording_groups(PROMISES, scale),
        {"name": "eco2-slo-alerts", "rules": _with_runbooks(burning)},
        *(
            {"name": f"eco2-{area}", "rules": _with_runbooks([alert.rule(scale) for alert in alerts])}
            for area, alerts in CAUSES.items()
        ),
    ]


def text(scale: TimeScale) -> str:
    """The file."""
    return _HEADING + yaml.dump({"groups": groups(scale)}, Dumper=_Dumper, sort_keys=False, width=math.inf)


def _with_runbooks(rules: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return [
        {**rule, "annotations": {**rule["annotations"], "runbook_url": f"{RUNBOOKS}{rule['alert']}.md"}}
        for rule in rules
    ]


class _Dumper(yaml.SafeDumper):
    """Expressions of several lines as blocks, and nothing by reference, so that it can be read and compared."""

    def ignore_aliases(self, data: Any) -> bool:
        """As the library asks."""
        return True


def _string(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)


_Dumper.add_representer(str, _string)
