"""Metrics of the limits of calls."""

from collections.abc import Iterable

from mesh.observability.instruments import Instruments, Reading
from mesh.observability.metrics import Kind, Metric

DECISIONS = Metric(
    "eco2.rate_limit.decisions",
    Kind.COUNTER,
    "{call}",
    "What was said of calls that are counted in Redis; uncounted: Redis was away, and the call was let through.",
    {"rpc.method": "the RPCs of limits.yaml", "eco2.outcome": ("allowed", "refused", "uncounted")},
)
METRICS = (DECISIONS,)


class Decisions:
    """Counts them, without a call: it is asked for every call at the edge.

    Args:
        instruments: Tell them.
        rpcs: What is counted.
    """

    def __init__(self, instruments: Instruments, rpcs: Iterable[str]) -> None:
        outcomes = DECISIONS.attributes["eco2.outcome"]
        self._counts = {(rpc, outcome): 0 for rpc in rpcs for outcome in outcomes}
        instruments.observe(DECISIONS, self._read)

    def made(self, rpc: str, outcome: str) -> None:
        """One more for an RPC of the table."""
        self._counts[rpc, outcome] += 1

    def _read(self) -> list[Reading]:
        return [
            (count, {"rpc.method": rpc.removeprefix("/"), "eco2.outcome": outcome})
            for (rpc, outcome), count in list(self._counts.items())
        ]
