"""What models have cost today, by model and stage, for operators to look at."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self

import asyncpg

from mesh.postgres import Queries

# To add up a day takes a look at each of its scans: however many operators look, it is done this often.
_SECONDS = 30.0
_MICRO = 1_000_000


@dataclass(frozen=True, slots=True)
class ModelSpending:
    """What one model has cost at one stage.

    Attributes:
        model: The exact model; empty where it isn't known.
        stage: The stage, or "reply".
        calls: Calls, failed ones included; here and below None where nobody counts.
        input_tokens: Tokens read.
        output_tokens: Tokens written.
        cost_micro_usd: In millionths of a US dollar.
    """

    model: str
    stage: str
    calls: int | None
    input_tokens: int | None
    output_tokens: int | None
    cost_micro_usd: int


@dataclass(frozen=True, slots=True)
class Budget:
    """What models may cost in a day of UTC, in millionths of a US dollar; 0 for no limit, or one that isn't told.

    Attributes:
        day: All users together.
        user: One of them.
    """

    day: int = 0
    user: int = 0

    @classmethod
    def of_usd(cls, day: float, user: float) -> Self:
        """In US dollars."""
        return cls(round(day * _MICRO), round(user * _MICRO))


class DaySpending:
    """Adds up the day's cost by the books in PostgreSQL.

    Args:
        pool: Connections.
        budget: What it may be.
        clock: Monotonic seconds.
    """

    def __init__(self, pool: asyncpg.Pool, budget: Budget, clock: Callable[[], float] = time.monotonic) -> None:
        self._pool = pool
        self._sql = Queries("scan_svc.operations")
        self.budget = budget
        self._clock = clock
        self._adding_up = asyncio.Lock()
        self._known: tuple[float, Sequence[ModelSpending]] | None = None

    async def by_model(self) -> Sequence[ModelSpending]:
        """Today's cost, dearest first; at most half a minute old."""
        async with self._adding_up:
            if self._known is None or self._clock() - self._known[0] > _SECONDS:
                rows = await self._pool.fetch(self._sql["spending_by_model"])
                self._known = self._clock(), [ModelSpending(*row.values()) for row in rows]
            return self._known[1]
