"""Housekeeping: tasks that one process at a time runs now and then."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import structlog

from mesh import outages
from scan_svc.jobs.queue import JobQueue

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


class Periodic:
    """Runs tasks that are due and that no other process has taken.

    Args:
        queue: Says who may run a task.
        tasks: The tasks.
    """

    def __init__(self, queue: JobQueue, tasks: Sequence[PeriodicTask]) -> None:
        self._queue = queue
        self._tasks = tasks

    async def run(self) -> None:
        """Looks for due tasks for ever."""
        while True:
            for task in self._tasks:
                await self._run_if_due(task)
            await asyncio.sleep(_LOOK_SECONDS)

    async def _run_if_due(self, task: PeriodicTask) -> None:
        try:
            if await self._queue.due(task.name, task.every_seconds):
                await task.run()
        except Exception as error:
            if outages.from_exception(error) is None:
                raise
            _log.warning("task put off", task=task.name, error=repr(error))
