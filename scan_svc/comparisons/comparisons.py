"""Comparisons, as the service thinks of them: what is compared, and how one scan came out both ways."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

# The owner of comparisons among client jobs. Nobody can sign in by that: an identity with a blank at either end is
# refused, whoever has issued it (`mesh.grpc.identity.usable`).
OPERATORS = " operators"

DIFFERENCES = ("category", "rules", "container", "steps", "answer")
"""In what two outcomes may differ, as `Pair.differs` names it."""


class Ending(StrEnum):
    """Mirror of `eco2.jobs.v1.ComparisonResult.Ending`: why a comparison has ended."""

    UNSPECIFIED = "UNSPECIFIED"
    COMPLETE = "COMPLETE"
    COST_LIMIT = "COST_LIMIT"


@dataclass(frozen=True, slots=True)
class ComparisonSpec:
    """Mirror of `eco2.jobs.v1.ComparisonSpec`."""

    classifier: str = ""
    rulebook: str = ""
    from_time: datetime | None = None
    until_time: datetime | None = None
    scan_count: int = 0
    seed: int = 0
    corrected_only: bool = False
    max_cost_micro_usd: int = 0
    current_version: str = ""
    rulebook_version: str = ""


@dataclass(frozen=True, slots=True)
class ComparisonResult:
    """Mirror of `eco2.jobs.v1.ComparisonResult`."""

    ending: Ending
    compared: int = 0
    skipped: int = 0
    failed: int = 0


class Outcome(StrEnum):
    """Mirror of `eco2.jobs.v1.ScanComparison.Outcome`: what became of one scan."""

    UNSPECIFIED = "UNSPECIFIED"
    COMPARED = "COMPARED"
    SKIPPED = "SKIPPED"
    FAILED = "FAILED"


class Verdict(StrEnum):
    """What a scan's user has said of its classification, as replies store it."""

    CONFIRMED = "CONFIRMED"
    CORRECTED = "CORRECTED"
    DENIED = "DENIED"


@dataclass(frozen=True, slots=True)
class Side:
    """How a scan comes out one way. Nothing of it is personal.

    Attributes:
        category: The levels joined by "/", as the classifier says; or the reason why it says none, such as NOT_WASTE.
        confidence: The classifier's; None where it gave none.
        rule_ids: The rules that apply.
        container: Where the first of them has it put.
        cost_micro_usd: What the look at the photo cost; None if nothing was paid for it.
        duration_ms: How long that took; None if it was remembered, or isn't known.
    """

    category: str
    confidence: float | None = None
    rule_ids: tuple[str, ...] = ()
    container: str = ""
    cost_micro_usd: int | None = None
    duration_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Pair:
    """One scan both ways.

    Attributes:
        outcome: What became of it.
        reason: Why it was skipped or failed.
        before: As it was.
        after: As it would be.
        differs: In what, of `DIFFERENCES`.
        truth: What its user says it is; empty if they don't say.
        denied: Whether its user says that it is something else than before, but not what.
    """

    outcome: Outcome
    reason: str = ""
    before: Side | None = None
    after: Side | None = None
    differs: tuple[str, ...] = ()
    truth: str = ""
    denied: bool = False


@dataclass(frozen=True, slots=True)
class PairRecord:
    """A pair as it is kept: its place in the sample, and of which scan it is."""

    position: int
    scan_id: str
    pair: Pair
