"""Client jobs as readers are shown them: by the same snapshots, outbox, cache and watchers as scans."""

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence

from scan_svc.client_jobs import wire
from scan_svc.client_jobs.client_jobs import ClientJob, ClientLease
from scan_svc.client_jobs.work import JobTypes
from scan_svc.progress.progress import Progress
from scan_svc.progress.snapshots import Snapshot
from scan_svc.scans import Scan, State, Step

Loaded = Mapping[str, Scan | Snapshot | Exception]


class JobSnapshots:
    """Shows client jobs.

    Args:
        types: The kinds there are.
        clock: Seconds since the epoch.
    """

    def __init__(self, types: JobTypes, clock: Callable[[], float] = time.time) -> None:
        self._types = types
        self._clock = clock

    def of(self, job: ClientJob) -> Snapshot:
        """The snapshot of a client job."""
        return Snapshot(
            job.job_id,
            job.user_id,
            job.version,
            job.state,
            Step.QUEUE,
            job.locale,
            wire.body(job, self._types).SerializeToString(),
            job.started_at.timestamp() if job.started_at else 0.0,
            0.0 if job.behind else self._clock(),
            kind=job.kind,
            file_key=job.file.object_key if job.file else "",
        )

    def loading(
        self,
        scans: Callable[[Sequence[str]], Awaitable[Mapping[str, Scan | Exception]]],
        jobs: Callable[[Sequence[str]], Awaitable[Mapping[str, ClientJob | Exception]]],
    ) -> Callable[[Sequence[str]], Awaitable[Loaded]]:
        """Reads scans and client jobs from PostgreSQL; these only where there is no such scan."""

        async def load(ids: Sequence[str]) -> Loaded:
            found: dict[str, Scan | Snapshot | Exception] = {**await scans(ids)}
            if missing := [one for one in ids if one not in found]:
                for job_id, job in (await jobs(missing)).items():
                    found[job_id] = job if isinstance(job, Exception) else self.of(job)
            return found

        return load

    def show(self, progress: Progress, lease: ClientLease, job: ClientJob) -> None:
        """Shows how far a client job is that this process works on. Never fails."""
        standing = job.version, job.percent, job.step, job.done, job.total
        if job.state is State.RUNNING:
            progress.log.show(lease, self.of(job), standing, lambda: None)
