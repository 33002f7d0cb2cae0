"""Reminds users of their scans."""

from scan_svc.client_jobs.client_jobs import ClientJob, JobRequest
from scan_svc.client_jobs.service import ClientJobs
from scan_svc.reminders.messages import MessageSpec
from scan_svc.reminders.pending import PendingReminders


class Reminding:
    """Reminders as users ask for them in short.

    Args:
        pending: Those that wait.
        jobs: What users do with client jobs.
    """

    def __init__(self, pending: PendingReminders, jobs: ClientJobs) -> None:
        self._pending = pending
        self._jobs = jobs

    async def remind(self, request: JobRequest, traceparent: str) -> ClientJob:
        """The reminder of this scan that waits; else a new one. Raises what creating a client job does."""
        spec = request.spec
        assert isinstance(spec, MessageSpec)
        for job_id in await self._pending.of_scan(request.user_id, spec.scan_id):
            return await self._jobs.get(request.user_id, job_id)
        return (await self._jobs.create(request, traceparent)).job
