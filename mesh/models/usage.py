"""What a call to a model is made for, until when, and what it has cost so far."""

import time
from dataclasses import dataclass, field
from typing import Any

from mesh.errors import EcoError
from mesh.grpc.identity import caller
from mesh.models.spent import Spent, from_metadata

_LONGEST = 60.0  # for a caller who names no deadline
_MARGIN = 0.5  # to send an answer or an error while the caller still listens


@dataclass(frozen=True, slots=True)
class Usage:
    """Mirror of `eco2.vision.v1.Usage`: what calls to models cost.

    Attributes:
        model: The exact model that was called last.
        input_tokens: Tokens read.
        output_tokens: Tokens written.
        cost_micro_usd: Price in millionths of a US dollar.
        calls: How many calls this adds up.
    """

    model: str
    input_tokens: int = 0
    output_tokens: int = 0
    cost_micro_usd: int = 0
    calls: int = 1

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            other.model,
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
            self.cost_micro_usd + other.cost_micro_usd,
            self.calls + other.calls,
        )


@dataclass(slots=True)
class UsageMeter:
    """Collects what one request costs, try by try; failed tries are paid too.

    Attributes:
        total: The sum; None as long as no model was called.
    """

    total: Usage | None = None

    def add(self, usage: Usage) -> None:
        """One more call."""
        self.total = self.total + usage if self.total else usage

    def attach(self, error: EcoError) -> None:
        """Writes the sum into an error's metadata, so that what was paid for nothing isn't forgotten."""
        if self.total:
            error.metadata |= {figure: str(getattr(self.total, figure)) for figure in _FIGURES}


_FIGURES = ("cost_micro_usd", "input_tokens", "output_tokens", "calls")


def settled(error: EcoError) -> EcoError:
    """The same error without its cost, for when it is raised again after its cost was stored."""
    metadata = {key: value for key, value in error.metadata.items() if key not in _FIGURES}
    return type(error).stored(error.reason, metadata, error.retry_after)


@dataclass(frozen=True, slots=True)
class Terms:
    """On whose account a model is asked, and until when.

    Attributes:
        account: Whose daily share it counts against; empty for nobody's.
        deadline: When the caller gives up, on the monotonic clock.
        meter: Counts what the calls cost.
        spent: What was spent today by the caller's books, or whether the caller can say when it is asked.
        batch: Whether nobody waits for the answer, so that the work gives way to others'.
    """

    account: str
    deadline: float
    meter: UsageMeter = field(default_factory=UsageMeter)
    spent: Spent | bool = False
    batch: bool = False


def terms(context: Any, *, batch: bool = False) -> Terms:
    """The terms of the RPC with this `grpc.aio.ServicerContext`."""
    remaining = context.time_remaining()
    left = _LONGEST if remaining is None else min(remaining - _MARGIN, _LONGEST)
    spent = from_metadata(context.invocation_metadata() or ())
    return Terms(caller(context).account, time.monotonic() + left, spent=spent, batch=batch)
