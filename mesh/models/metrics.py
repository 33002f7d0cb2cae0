"""What is counted of the calls to models. No label is a person's or a request's."""

from opentelemetry.metrics import Meter

from mesh.models.usage import Usage


class ModelMetrics:
    """Counters of one process.

        eco2.model.calls{model, outcome}         tries; outcome is "ok", "abandoned" by the caller, or a MODEL_ reason
        eco2.model.tokens{model, direction}      "input" or "output"
        eco2.model.cost{model}                   in millionths of a US dollar, estimated where no usage was sent

    Args:
        meter: Makes them.
    """

    def __init__(self, meter: Meter) -> None:
        self._calls = meter.create_counter("eco2.model.calls", unit="{call}", description="Tries by outcome.")
        self._tokens = meter.create_counter("eco2.model.tokens", unit="{token}", description="Tokens by direction.")
        self._cost = meter.create_counter("eco2.model.cost", unit="{uUSD}", description="Millionths of a US dollar.")

    def ended(self, model: str, outcome: str) -> None:
        """A try has ended, or was refused before it was sent.

        Args:
            model: Its name as configured: snapshots would make new series.
            outcome: As above.
        """
        self._calls.add(1, {"model": model, "outcome": outcome})

    def used(self, model: str, usage: Usage) -> None:
        """A try was paid for."""
        self._tokens.add(usage.input_tokens, {"model": model, "direction": "input"})
        self._tokens.add(usage.output_tokens, {"model": model, "direction": "output"})
        self._cost.add(usage.cost_micro_usd, {"model": model})
