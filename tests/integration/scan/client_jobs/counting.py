"""A kind of client jobs that counts to some number, and waits where a test says."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from mesh.locale import Locale
from scan_svc.client_jobs.client_jobs import File, Kind
from scan_svc.client_jobs.work import JobType, JobTypes, Result, Task, UploadRule
from scan_svc.job_types import JobTypeParts


@dataclass(frozen=True, slots=True)
class Nothing:
    """Mirrors no field of a message."""


@dataclass(slots=True)
class Counting:
    """Counts in steps of one, with a checkpoint at each.

    Attributes:
        total: Up to what.
        counted: What was counted, by whichever try.
        before: Awaited before each number, with the task.
        prepared: Awaited when a job is created, with its user.
    """

    total: int = 3
    counted: list[int] = field(default_factory=list)
    before: Callable[[Task, int], Awaitable[None]] | None = None
    prepared: Callable[[str], Awaitable[None]] | None = None

    async def prepare(self, user_id: str, spec: Any) -> object:
        if self.prepared:
            await self.prepared(user_id)
        return spec

    async def run(self, task: Task) -> Result:
        at = task.cursor["at"] if task.cursor else 0
        while at < self.total:
            if self.before:
                await self.before(task, at)
            await task.report("count", at, self.total)
            self.counted.append(at)
            at += 1
            await task.checkpoint({"at": at}, at, self.total, cost_micro_usd=10 * at)
        return Result(Nothing(), File(task.file_key("txt"), 5), cost_micro_usd=10 * at)

    def types(self, _: JobTypeParts) -> JobTypes:
        """The kinds of a service that does this alone: batches with a file, reminders without one."""
        steps = {"count": {Locale.KO: "{total}개 중 {done}개", Locale.EN: "{done} of {total}"}}
        kinds: dict[Kind, UploadRule | None] = {
            Kind.BATCH: UploadRule({"text/csv": "csv"}, 1000),
            Kind.MESSAGE: None,
        }
        return JobTypes(
            [
                JobType(
                    kind=kind, work=self, spec=Nothing, result=Nothing, steps=steps, unit="numbers", upload=upload,
                    attempts=3,
                )
                for kind, upload in kinds.items()
            ]
        )  # fmt: skip


class Gate:
    """Lets a job through when a test says, and says when one stands before it."""

    def __init__(self) -> None:
        self.reached = asyncio.Event()
        self.opened = asyncio.Event()

    async def __call__(self, task: Task, at: int) -> None:
        if at == 1:
            self.reached.set()
            await self.opened.wait()
