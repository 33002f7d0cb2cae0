"""What is counted of the calls to models, by OpenTelemetry's conventions for generative AI."""

from mesh.models.ledger import Purse
from mesh.models.usage import Usage
from mesh.observability.instruments import Instruments
from mesh.observability.metrics import Kind, Metric

_MODELS = "the models that are configured, by those names: snapshots would make new series"
_CALL = {"gen_ai.operation.name": ("chat",), "gen_ai.provider.name": ("openai",), "gen_ai.request.model": _MODELS}
_MICRO = 1e-6

OPERATION_DURATION = Metric(
    "gen_ai.client.operation.duration",
    Kind.HISTOGRAM,
    "s",
    "Tries of calls to models: rate, duration, and how they failed; what was refused before it was sent, too.",
    {**_CALL, "error.type": "absent if it went well, a `MODEL_` reason, or `abandoned`: the caller left"},
    (0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60),
)
TOKEN_USAGE = Metric(
    "gen_ai.client.token.usage",
    Kind.HISTOGRAM,
    "{token}",
    "Tokens of each try that was paid for.",
    {**_CALL, "gen_ai.token.type": ("input", "output")},
    (1, 4, 16, 64, 256, 1024, 4096, 16384, 65536),
)
COST = Metric(
    "eco2.model.cost",
    Kind.COUNTER,
    "usd",
    "What models have cost, estimated where the provider sent no usage.",
    {"gen_ai.request.model": _MODELS},
)
COMPARISON_COST = Metric(
    "eco2.model.comparison.cost",
    Kind.COUNTER,
    "usd",
    "What operators' comparisons have cost, which stands in none of the others.",
    {"gen_ai.request.model": _MODELS},
)
METRICS = (OPERATION_DURATION, TOKEN_USAGE, COST, COMPARISON_COST)


class ModelMetrics:
    """What is counted in one process.

    Args:
        instruments: Make it.
        purse: Whose calls; of those that aren't users' the cost alone is counted, apart.
    """

    def __init__(self, instruments: Instruments, purse: Purse = Purse.USERS) -> None:
        users = purse is Purse.USERS
        calls = instruments if users else Instruments.off()
        self._durations = calls.histogram(OPERATION_DURATION)
        self._tokens = calls.histogram(TOKEN_USAGE)
        self._cost = instruments.counter(COST if users else COMPARISON_COST)

    def ended(self, model: str, seconds: float, error: str = "") -> None:
        """A try has ended, or was refused before it was sent.

        Args:
            model: Its name as configured.
            seconds: How long it took.
            error: A `MODEL_` reason, or "abandoned"; empty if it went well.
        """
        self._durations.record(seconds, _call(model) | ({"error.type": error} if error else {}))

    def used(self, model: str, usage: Usage) -> None:
        """A try was paid for."""
        call = _call(model)
        self._tokens.record(usage.input_tokens, call | {"gen_ai.token.type": "input"})
        self._tokens.record(usage.output_tokens, call | {"gen_ai.token.type": "output"})
        self._cost.add(usage.cost_micro_usd * _MICRO, {"gen_ai.request.model": model})


def _call(model: str) -> dict[str, str]:
    return {"gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": model}
