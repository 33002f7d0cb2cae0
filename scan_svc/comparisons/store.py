"""What comparisons have found, in PostgreSQL: a row for each scan of their samples, which goes with the scan.

What is stored first of a scan counts: a worker that comes late with another result changes nothing, and a paid look is
never forgotten.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import asyncpg
import msgspec

from mesh.postgres import Queries
from scan_svc.comparisons.comparisons import (
    ComparisonResult,
    ComparisonSpec,
    Ending,
    Outcome,
    Pair,
    PairRecord,
    Side,
    Verdict,
)
from scan_svc.comparisons.report import Accuracy, Confusion, Measured, Report

# Categories that became others, at most.
_CONFUSIONS = 50


@dataclass(frozen=True, slots=True)
class Pending:
    """A scan that is still to be compared, and what its user has said last of its classification."""

    position: int
    scan_id: str
    verdict: Verdict | None


class ComparisonStore:
    """The samples of all comparisons.

    Args:
        pool: Connections.
    """

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._sql = Queries("scan_svc.comparisons")

    async def draw(self, comparison_id: str, spec: ComparisonSpec) -> int:
        """Draws the sample, unless it is drawn already; returns how many scans are in it."""
        count: int = await self._pool.fetchval(
            self._sql["draw"], comparison_id, spec.from_time, spec.until_time, spec.corrected_only, str(spec.seed),
            spec.scan_count,
        )  # fmt: skip
        return count or await self._pool.fetchval(self._sql["count"], comparison_id)

    async def pending(self, comparison_id: str, after: int, count: int) -> list[Pending]:
        """Up to so many scans that are still to be compared, in the sample's order, behind a position."""
        rows = await self._pool.fetch(self._sql["pending"], comparison_id, after, count)
        return [
            Pending(row["position"], str(row["scan_id"]), Verdict(row["verdict"]) if row["verdict"] else None)
            for row in rows
        ]

    async def record(self, comparison_id: str, position: int, pair: Pair) -> None:
        """Keeps what came of one scan, unless something is kept already."""
        before, after = pair.before, pair.after
        await self._pool.execute(
            self._sql["record"], comparison_id, position, pair.outcome.value, pair.reason, *_columns(before),
            *_columns(after), pair.differs, pair.truth, pair.denied,
        )  # fmt: skip

    async def progress(self, comparison_id: str) -> tuple[ComparisonResult, int]:
        """What became of the sample so far, and what that has cost."""
        row = await self._pool.fetchrow(self._sql["progress"], comparison_id)
        assert row is not None  # of aggregates
        return ComparisonResult(Ending.COMPLETE, row["compared"], row["skipped"], row["failed"]), row["cost_micro_usd"]

    async def waits_until(self, comparison_id: str) -> datetime | None:
        """Until when a comparison waits before it goes on; None if it doesn't."""
        moment: datetime | None = await self._pool.fetchval(self._sql["waits"], comparison_id)
        return moment

    async def page(self, comparison_id: str, after: int, count: int, *, differing: bool) -> list[PairRecord]:
        """Up to so many scans that were looked at, or of those the ones that differ, behind a position."""
        rows = await self._pool.fetch(self._sql["page"], comparison_id, after, count, differing)
        return [_record(row) for row in rows]

    async def report(self, comparison_id: str) -> Report:
        """What was found so far."""
        row = await self._pool.fetchrow(self._sql["report"], comparison_id)
        pairs = await self._pool.fetch(self._sql["confusions"], comparison_id, _CONFUSIONS)
        assert row is not None  # of aggregates
        return Report(
            compared=row["compared"],
            skipped=_counts(row["skipped"]),
            failed=_counts(row["failed"]),
            same_major=row["same_major"],
            same_middle=row["same_middle"],
            same_category=row["same_category"],
            differs=_counts(row["differs"]),
            confusions=[Confusion(*pair.values()) for pair in pairs],
            confidence_before=row["confidence_before"],
            confidence_after=row["confidence_after"],
            denied=row["denied"],
            denied_changed=row["denied_changed"],
            accuracy=Accuracy.of(
                row["known"], row["right_before"], row["right_after"], row["only_before"], row["only_after"]
            ),
            before=_measured(row, "before"),
            after=_measured(row, "after"),
        )


def _columns(side: Side | None) -> tuple[object, ...]:
    if side is None:
        return (None,) * 6
    return (
        side.category, side.confidence, list(side.rule_ids), side.container, side.cost_micro_usd, side.duration_ms,
    )  # fmt: skip


def _record(row: asyncpg.Record) -> PairRecord:
    pair = Pair(
        Outcome(row["outcome"]), row["reason"], _side(row, "before"), _side(row, "after"), tuple(row["differs"]),
        row["truth"], row["denied"],
    )  # fmt: skip
    return PairRecord(row["position"], str(row["scan_id"]), pair)


def _side(row: asyncpg.Record, name: str) -> Side | None:
    if row[f"{name}_category"] is None:
        return None
    return Side(
        row[f"{name}_category"], row[f"{name}_confidence"], tuple(row[f"{name}_rule_ids"]), row[f"{name}_container"],
        row[f"{name}_cost_micro_usd"], row[f"{name}_ms"],
    )  # fmt: skip


def _measured(row: asyncpg.Record, name: str) -> Measured:
    return Measured(
        row[f"paid_{name}"], row[f"cost_{name}"], row[f"timed_{name}"], row[f"p50_{name}"], row[f"p95_{name}"]
    )


def _counts(stored: str | None) -> Mapping[str, int]:
    return msgspec.json.decode(stored or "{}", type=dict[str, int])
