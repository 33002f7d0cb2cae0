"""Metrics of signing in."""

from mesh.errors import EcoError, FailedPrecondition, PermissionDenied, Unavailable
from mesh.observability.instruments import Instruments
from mesh.observability.metrics import Kind, Metric

SIGN_INS = Metric(
    "eco2.sign_in.ended",
    Kind.COUNTER,
    "{sign_in}",
    "People who came back from a provider: signed in, too late, refused by us or by the provider, or it was away.",
    {
        "eco2.sign_in.provider": "those that are offered",
        "eco2.outcome": ("succeeded", "expired", "refused", "unavailable", "failed"),
    },
)
METRICS = (SIGN_INS,)
_OUTCOMES: tuple[tuple[type[EcoError], str], ...] = (
    (FailedPrecondition, "expired"),
    (PermissionDenied, "refused"),
    (Unavailable, "unavailable"),
)


class SignInMeters:
    """The counters of one process.

    Args:
        instruments: Make them.
    """

    def __init__(self, instruments: Instruments) -> None:
        self._ended = instruments.counter(SIGN_INS)

    def offered(self, provider: str) -> None:
        """A provider that may be counted from now on: its series begin with 0."""
        for outcome in SIGN_INS.attributes["eco2.outcome"]:
            self._ended.add(0, {"eco2.sign_in.provider": provider, "eco2.outcome": outcome})

    def ended(self, provider: str, error: BaseException | None) -> None:
        """Somebody was signed in, or why not."""
        outcome = (
            next((name for kind, name in _OUTCOMES if isinstance(error, kind)), "failed") if error else "succeeded"
        )
        self._ended.add(1, {"eco2.sign_in.provider": provider, "eco2.outcome": outcome})
