"""Feeds the rows of a client job to the scan queue, at a pace, a bounded number of them at once.

Rows are spread evenly over the time: those of a second made at once would have their photos decoded at once, too, and
whoever takes a photo in that moment would wait for them.

After a crash it goes on from its last checkpoint. Scans that were made since are found by the job, and those that are
made once more are the same, by their request_id: none is paid twice.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import msgspec

from mesh import outages
from mesh.errors import AlreadyExists
from scan_svc.client_jobs.work import Task
from scan_svc.hidden_scans.allowance import Allowance
from scan_svc.hidden_scans.store import HiddenScanStore
from scan_svc.pipeline.retries import PERMANENT

_TICK_SECONDS = 1.0
_AT_ONCE = 8  # rows being made
_LEAST_WINDOW = 8
# What a row takes from its making to its end while others are served, so that the pace can be kept.
_ROW_SECONDS = 30
_KEPT_TICKS = 5  # so often it looks whether the job is still its own, though nothing has changed
_OF_THE_ROW = (*PERMANENT, AlreadyExists)


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast rows become scans.

    Attributes:
        per_minute: Rows in a minute, at most.
        most_open: Scans at once that haven't ended, at most.
    """

    per_minute: int
    most_open: int

    @classmethod
    def of(cls, per_minute: int) -> "Pace":
        """A pace with room for as many scans as it takes to keep it."""
        return cls(per_minute, max(_LEAST_WINDOW, per_minute * _ROW_SECONDS // 60))


class Cursor(msgspec.Struct):
    """How far a job's rows are.

    Attributes:
        following: The next row, from 1.
        open: Scans that haven't ended as far as is known, by id, and their rows.
        done: Rows that have ended, well or badly.
        cost_micro_usd: What models have cost.
    """

    following: int = 1
    open: dict[str, int] = {}
    done: int = 0
    cost_micro_usd: int = 0

    @classmethod
    def of(cls, kept: Any) -> "Cursor":
        """The cursor that a checkpoint kept; a new one before the first."""
        return msgspec.convert(kept, cls) if kept else cls()


Make = Callable[[int], Awaitable[str | None]]
"""Makes a row's scan and returns its id; None if the row needs none. Raises EcoError if it can't be made."""


class Feeder:
    """Feeds rows.

    Args:
        store: Tells which scans have ended.
        tick_seconds: How often it looks.
    """

    def __init__(self, store: HiddenScanStore, tick_seconds: float = _TICK_SECONDS) -> None:
        self._store = store
        self._tick_seconds = tick_seconds

    async def feed(self, task: Task, step: str, total: int, make: Make, pace: Pace) -> Cursor:
        """Has a scan made of each row, and returns when all of them have ended.

        Args:
            task: The job.
            step: What readers are shown meanwhile.
            total: How many rows there are.
            make: Makes the scan of one.
            pace: How fast.

        Raises:
            Fenced: The job was cancelled, or somebody else has it.
            PutBack: This worker leaves.
            EcoError: A store or a peer is away.
        """
        cursor, unkept, clock = Cursor.of(task.cursor), 0, asyncio.get_running_loop().time
        made = await self._made_since(task.job.job_id, cursor)
        second = pace.per_minute / 60
        tick = second * self._tick_seconds
        allowance = Allowance(second, tick, 2 * tick, clock)
        while cursor.following <= total or cursor.open:
            began = clock()
            await self._settle(cursor)
            count = allowance.take(min(pace.most_open - len(cursor.open), total - cursor.following + 1))
            if count > 0:
                await self._make(cursor, count, make, made)
            await task.report(step, cursor.done, total)
            unkept += 1
            if count > 0 or unkept >= _KEPT_TICKS or not cursor.open:
                await self._keep(task, cursor, total)
                unkept = 0
            if cursor.following <= total or cursor.open:
                await asyncio.sleep(began + self._tick_seconds - clock())  # what making rows has left of the tick
        return cursor

    async def _keep(self, task: Task, cursor: Cursor, total: int) -> None:
        await task.checkpoint(msgspec.to_builtins(cursor), cursor.done, total, cursor.cost_micro_usd)

    async def _made_since(self, job_id: str, cursor: Cursor) -> dict[int, str]:
        """Scans that were made after the last checkpoint, by row."""
        return {
            number: scan_id
            async for page in self._store.made(job_id)
            for scan_id, number in page.items()
            if number >= cursor.following
        }

    async def _settle(self, cursor: Cursor) -> None:
        """Takes note of scans that have ended."""
        if not cursor.open:
            return
        for scan in await outages.until_available(lambda: self._store.ended(list(cursor.open))):
            del cursor.open[scan.scan_id]
            cursor.done += 1
            cursor.cost_micro_usd += scan.cost_micro_usd

    async def _make(self, cursor: Cursor, count: int, make: Make, made: dict[int, str]) -> None:
        """Makes the scans of the next rows, spread over a tick.

        Raises:
            Exception: What a row isn't to blame for; those before it are made.
        """
        numbers = range(cursor.following, cursor.following + count)
        slots, apart = asyncio.Semaphore(_AT_ONCE), self._tick_seconds / count

        async def one(number: int) -> str | None:
            if number in made:
                return made.pop(number)
            await asyncio.sleep((number - numbers.start) * apart)
            async with slots:
                return await make(number)

        outcomes = await asyncio.gather(*map(one, numbers), return_exceptions=True)
        for number, outcome in zip(numbers, outcomes, strict=True):
            if isinstance(outcome, str):
                cursor.open[outcome] = number
            elif outcome is None or isinstance(outcome, _OF_THE_ROW):
                cursor.done += 1
            else:
                raise outcome
            cursor.following = number + 1
