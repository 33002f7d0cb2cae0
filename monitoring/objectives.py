"""What an objective is; the objectives themselves stand in `monitoring.promises`."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Objective:
    """A share of events that are to be good, over 28 days.

    Attributes:
        name: Lower case with hyphens: the label `slo`.
        promise: What is promised, as a sentence.
        target: The share, such as 0.999.
        errors: Bad events a second by namespace, over five minutes, as `TimeScale.promql` takes it. No sample is none.
        events: The same of all events.
        owner: Who acts.
        pages: Whether a fast burn wakes somebody. Otherwise it is a ticket, as a slow one.
        least: Bad events in the longer window from which on anybody is told: one failure at night is no trend.
    """

    name: str
    promise: str
    target: float
    errors: str
    events: str
    owner: str
    pages: bool = True
    least: float = 5.0

    @property
    def budget(self) -> float:
        """The share of events that may be bad."""
        return 1.0 - self.target

    @property
    def alert(self) -> str:
        """The alert on its burn rate."""
        return f"Eco2{self.name.title().replace('-', '')}BudgetBurn"
