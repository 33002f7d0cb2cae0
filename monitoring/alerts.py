"""What an alert is, apart from those on burn rates; the alerts themselves stand in `monitoring.causes`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from monitoring.durations import MINUTE, TimeScale

Severity = Literal["page", "ticket"]


@dataclass(frozen=True, slots=True)
class Alert:
    """Something that somebody has to look at.

    Attributes:
        name: Its name, and its runbook's.
        expr: PromQL as `TimeScale.promql` takes it.
        severity: "page": now, whoever is on call. "ticket": on the next working day.
        summary: What is the matter, in a line.
        description: What the value says, with Prometheus' own placeholders.
        lasting: Seconds it has to be true for.
    """

    name: str
    expr: str
    severity: Severity
    summary: str
    description: str
    lasting: float = 5 * MINUTE

    def rule(self, scale: TimeScale) -> Mapping[str, Any]:
        """The alerting rule."""
        return {
            "alert": self.name,
            "expr": scale.promql(self.expr),
            **({"for": scale.duration(self.lasting)} if self.lasting else {}),
            "labels": {"severity": self.severity},
            "annotations": {"summary": self.summary, "description": self.description},
        }
