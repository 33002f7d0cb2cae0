"""One client job at work, as its kind's work sees it."""

import asyncio
import functools
import time
from collections.abc import Callable
from typing import Any

import msgspec
from msgspec.structs import replace

from mesh import outages
from scan_svc.client_jobs.client_jobs import ClientJob, ClientLease, folder, percent_of
from scan_svc.client_jobs.store import ClientJobStore
from scan_svc.client_jobs.work import PutBack, Result
from scan_svc.rows import to_json
from scan_svc.scans import State

# A lease has ten thousand versions; before they are used up the next checkpoint gets it a new token.
_MOST_CHANGES = 9_000
# Reports that follow each other more quickly are merged.
_PAUSE_SECONDS = 0.25


class RunningTask:
    """A client job that this worker holds.

    Args:
        store: The job table.
        lease: The lease.
        form: The form of its kind's spec.
        show: Shows the job to readers, in a moment.
    """

    def __init__(
        self, store: ClientJobStore, lease: ClientLease, form: type, show: Callable[[ClientLease, ClientJob], None]
    ) -> None:
        self._store = store
        self._show = show
        self._form = form
        self._lease = lease
        self._shown = lease.job
        self._shown_at = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._first_version = lease.job.version
        self._leaving = False

    @property
    def lease(self) -> ClientLease:
        """The lease as it is now."""
        return self._lease

    @property
    def shown(self) -> ClientJob:
        """The job as readers see it."""
        return self._shown

    @property
    def job(self) -> ClientJob:
        """The job, as it was when this worker took it, or with the last checkpoint."""
        return self._lease.job

    @functools.cached_property
    def spec(self) -> Any:
        """What was asked for.

        Raises:
            msgspec.MsgspecError: A newer release has written what this one doesn't know.
        """
        return msgspec.json.decode(self._lease.job.spec, type=self._form)

    @property
    def cursor(self) -> Any:
        """What the last checkpoint kept."""
        return msgspec.json.decode(self._lease.cursor) if self._lease.cursor else None

    @property
    def attempt(self) -> int:
        """Which try this is since the job last came further."""
        return self._lease.attempt

    def file_key(self, extension: str) -> str:
        """Where a file of this job may be stored."""
        return f"{folder(self._lease.job.job_id)}{self._lease.token}.{extension}"

    def leave(self) -> None:
        """The next checkpoint is the last one."""
        self._leaving = True

    def close(self) -> None:
        """Shows nothing more."""
        if self._timer:
            self._timer.cancel()
        self._timer = None

    async def report(self, step: str, done: int = 0, total: int = 0) -> None:
        """Shows people how far the job is."""
        advanced = self._advanced(step, done, total)
        if advanced.version >= self._first_version + _MOST_CHANGES:
            return  # with the next checkpoint
        self._shown = replace(advanced, version=self._shown.version)
        if self._timer:
            return
        wait = self._shown_at + _PAUSE_SECONDS - time.monotonic()
        if wait > 0:
            self._timer = asyncio.get_running_loop().call_later(wait, self._show_now)
        else:
            self._show_now()

    async def checkpoint(self, cursor: object, done: int = 0, total: int = 0, cost_micro_usd: int = 0) -> None:
        """Keeps how far the job is."""
        came_further = done > self._lease.job.done
        job = replace(
            self._advanced(self._shown.step, done, total),
            cost_micro_usd=max(self._shown.cost_micro_usd, cost_micro_usd),
        )
        kept, renew = to_json(cursor), job.version >= self._first_version + _MOST_CHANGES
        self._lease = await outages.until_available(lambda: self._store.checkpoint(self._lease, job, kept, renew=renew))
        self._shown = self._lease.job
        if renew:
            self._first_version = self._shown.version
        self.close()
        self._show(self._lease, self._shown)
        # One that was suspected and has come further wasn't what crashed its workers: it goes on among the others.
        if self._leaving or (self._lease.group_size and came_further):
            raise PutBack

    def ended(self, result: Result) -> ClientJob:
        """The job with its result."""
        return replace(
            self._shown,
            state=State.SUCCEEDED,
            version=self._shown.version + 1,
            percent=100,
            step="done",
            result=to_json(result.content),
            file=result.file,
            cost_micro_usd=max(self._shown.cost_micro_usd, result.cost_micro_usd),
        )

    def _show_now(self) -> None:
        self.close()
        self._shown = replace(self._shown, version=self._shown.version + 1)
        self._shown_at = time.monotonic()
        self._show(self._lease, self._shown)

    def _advanced(self, step: str, done: int, total: int) -> ClientJob:
        """The next version; whatever is said, nothing of it goes back."""
        shown = self._shown
        return replace(
            shown,
            version=shown.version + 1,
            step=step,
            done=max(shown.done, done),
            total=max(shown.total, total),
            percent=max(shown.percent, percent_of(done, total)),
        )
