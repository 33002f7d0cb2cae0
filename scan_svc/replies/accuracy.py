"""How often classifiers were right, as users' replies tell: numbers of all users together, and none of few."""

from dataclasses import dataclass

import asyncpg

from mesh.postgres import Queries
from mesh.replica import Reads
from scan_svc.mirrors.vision import Category

# What is rarer might be traced to somebody.
LEAST = 5


@dataclass(frozen=True, slots=True)
class ClassAccuracy:
    """How often one class was right, in one tenth of confidence.

    Attributes:
        provider: The classifier.
        model: Its exact model.
        category: What it said.
        tenth: The range of its confidence, 0 to 9.
        answered: How many scans were answered so.
        corrected: How many of them their users said to be something else; None if few.
        confirmed: How many of them their users said to be right; None if few.
    """

    provider: str
    model: str
    category: Category
    tenth: int
    answered: int
    corrected: int | None
    confirmed: int | None


class AccuracyReader:
    """Reads what the statements count that end scans and store replies.

    Args:
        reads: Where they may be read late.
    """

    def __init__(self, reads: Reads) -> None:
        self._reads = reads
        self._sql = Queries("scan_svc.replies")

    async def read(self, provider: str = "") -> list[ClassAccuracy]:
        """Every class that was answered often enough, of one classifier or of all."""
        rows = await self._reads.read(lambda pool: pool.fetch(self._sql["accuracy"], provider, LEAST))
        return [_class(row) for row in rows]


def _class(row: asyncpg.Record) -> ClassAccuracy:
    return ClassAccuracy(
        row["provider"],
        row["model"],
        Category(*row["category"].split("/")),
        row["tenth"],
        row["answered"],
        _unless_few(row["corrected"]),
        _unless_few(row["confirmed"]),
    )


def _unless_few(count: int) -> int | None:
    return count if count >= LEAST else None
