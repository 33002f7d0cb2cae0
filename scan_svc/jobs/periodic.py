"""Housekeeping: tasks that one process at a time runs now and then."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import asyncpg
import structlog

from mesh import outages
from mesh.postgres import Queries

_log = structlog.get_logger("periodic")

_LOOK_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class PeriodicTask:
    """One task.

    Attributes:
        name: Tells it apart in the database.
        every_seconds: Pause between two runs, whoever runs them.
        run: Does it.
    """

    name: str
    every_seconds: float
    run: Callable[[], Awaitable[object]]


class Schedule:
    """When each task is due next, for all processes together.

    Args:
        pool: Connections.
    """

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._sql = Queries("scan_svc.jobs")

    async def due(self, task: str, every_seconds: float) -> bool:
        """True for the one process that may run a task now."""
        return await self._pool.fetchval(self._sql["due_periodic"], task, every_seconds) is not None


class Periodic:
    """Runs tasks that are due and that no other process has taken.

    Args:
        schedule: Says who may run a task.
        tasks: The tasks.
    """

    def __init__(self, schedule: Schedule, tasks: Sequence[PeriodicTask]) -> None:
        self._schedule = schedule
        self._tasks = tasks

    async def run(self) -> None:
        """Looks for due tasks for ever."""
        while True:
            for task in self._tasks:
                await self._run_if_due(task)
            await asyncio.sleep(_LOOK_SECONDS)

    async def _run_if_due(self, task: PeriodicTask) -> None:
        try:
            if await self._schedule.due(task.name, task.every_seconds):
                await task.run()
        except Exception as error:
            if outages.from_exception(error) is None:
                raise
            _log.warning("task put off", task=task.name, error=repr(error))
