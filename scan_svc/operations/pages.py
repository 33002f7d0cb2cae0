"""Pages of what is found by looking back in time, a bounded part of it for each page.

Scans and webhooks have UUIDv7s: they sort by the time of their creation, and a time is a bound among them. A page looks
at 10,000 rows at most, whatever it is asked for, so it may find less than it was asked for; the next one goes on where
it stopped.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import asyncpg

# Rows that a page looks at, at most.
LOOKED_AT = 10_000

_LAST = uuid.UUID(int=(1 << 128) - 1)
_FIRST = uuid.UUID(int=0)
_LATEST_MS = (1 << 48) - 1


@dataclass(frozen=True, slots=True)
class Span:
    """A part of time, as ids: those before one, and not before another.

    Attributes:
        before: The id after the newest one.
        start: The oldest one.
    """

    before: uuid.UUID = _LAST
    start: uuid.UUID = _FIRST

    @classmethod
    def between(cls, start: datetime | None, end: datetime | None, after: uuid.UUID | None = None) -> "Span":
        """What was created from `start` on and before `end`, and is older than `after`, the last one of a page."""
        return cls(after or (_least(end) if end else _LAST), _least(start) if start else _FIRST)


@dataclass(frozen=True, slots=True)
class Page:
    """What one look back has found.

    Attributes:
        ids: What was found, in order.
        following: What the next page follows; None on the last one.
        reached: When the oldest one that was looked at was created; None if there was none.
    """

    ids: Sequence[str]
    following: uuid.UUID | None
    reached: datetime | None

    @classmethod
    def of(cls, row: asyncpg.Record | None, size: int, looked_at: int) -> "Page":
        """The page in a row with `found`, `looked_at` and `reached`.

        Args:
            row: One of at most `size` + 1 found among at most `looked_at`.
            size: How many it may have.
            looked_at: How many it may have looked at.
        """
        assert row is not None  # of aggregates
        found: list[uuid.UUID] = row["found"] or []
        reached: uuid.UUID | None = row["reached"]
        following = None
        if len(found) > size:
            found = found[:size]
            following = reached = found[-1]
        elif row["looked_at"] == looked_at:
            following = reached
        return cls([str(each) for each in found], following, _time(reached) if reached else None)


def _least(moment: datetime) -> uuid.UUID:
    """The least UUIDv7 of a millisecond."""
    milliseconds = min(max(int(moment.timestamp() * 1000), 0), _LATEST_MS)
    return uuid.UUID(int=milliseconds << 80 | 0x7 << 76 | 0b10 << 62)


def _time(identifier: uuid.UUID) -> datetime:
    """When a UUIDv7 was made."""
    return datetime.fromtimestamp((identifier.int >> 80) / 1000, UTC)
