"""What users do with their client jobs: create, start, read, list, cancel, delete."""

import base64
import binascii
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from uuid import UUID

from mesh.errors import FailedPrecondition, InvalidArgument, NotFound
from mesh.observability import tracing
from mesh.reasons import Reason
from scan_svc.client_jobs.client_jobs import ClientJob, JobRequest
from scan_svc.client_jobs.files import JobFiles
from scan_svc.client_jobs.snapshots import JobSnapshots
from scan_svc.client_jobs.store import ClientJobStore
from scan_svc.client_jobs.work import JobType, JobTypes
from scan_svc.progress.progress import Progress
from scan_svc.progress.snapshots import Snapshot
from scan_svc.scans import State
from scan_svc.uploads import Ticket

_PAGE_DEFAULT = 20
_PAGE_LIMIT = 100
# Hidden scans that one statement removes: few, so that nobody waits behind it.
_SCANS = 200


@dataclass(frozen=True, slots=True)
class CreatedJob:
    """A client job that was created.

    Attributes:
        job: The job.
        ticket: How to upload its file; None unless it waits for one.
    """

    job: ClientJob
    ticket: Ticket | None


class ClientJobs:
    """The client jobs of one user at a time; others' are NOT_FOUND.

    Args:
        store: PostgreSQL.
        types: The kinds that are done here.
        files: Their files.
        progress: Where changes are shown, and jobs read.
        snapshots: What is shown of them.
        wake: Called with the kind of job there is to claim.
        new_id: Makes ids.
    """

    def __init__(
        self,
        store: ClientJobStore,
        types: JobTypes,
        files: JobFiles,
        progress: Progress,
        snapshots: JobSnapshots,
        wake: Callable[[str], None],
        new_id: Callable[[], str],
    ) -> None:
        self._store = store
        self._types = types
        self._files = files
        self._progress = progress
        self._snapshots = snapshots
        self._wake = wake
        self._new_id = new_id

    @property
    def types(self) -> JobTypes:
        """The kinds that are done here."""
        return self._types

    async def create(self, request: JobRequest, traceparent: str) -> CreatedJob:
        """Creates a client job.

        Raises:
            FailedPrecondition: Nobody here does such jobs.
            InvalidArgument: It can't be done.
            AlreadyExists: The request_id belongs to a job with another content.
            ResourceExhausted: The user has as many of this kind as they may.
        """
        kind = self._kind(request.kind, request.field)
        job_id = self._new_id()
        upload = self._files.upload(job_id, request, kind.upload)
        job = await self._store.made_before(request)
        is_new = job is None
        if job is None:
            prepared = replace(request, spec=await kind.work.prepare(request.user_id, request.spec))
            job, is_new = await self._store.create(job_id, prepared, upload, traceparent, kind.most_live)
        tracing.work_on(job.job_id)
        if is_new and not job.behind:  # else its worker shows it
            self._progress.snapshots.announce(self._snapshots.of(job))
        if is_new and job.state is State.QUEUED:
            self._wake(kind.kind)
        waiting = job.state is State.AWAITING_UPLOAD and job.upload
        return CreatedJob(job, self._files.ticket(job.upload) if waiting and job.upload else None)

    async def start(self, user_id: str, job_id: str, traceparent: str) -> ClientJob:
        """Checks the uploaded file and queues the job.

        Raises:
            NotFound: No such job.
            FailedPrecondition: The file isn't there or isn't the announced one, or the job is over.
        """
        job = await self._owned_truth(user_id, job_id)
        if job.state is State.AWAITING_UPLOAD and job.upload:
            kind = self._kind(job.kind, "job_id")
            etag = await self._files.verify(job_id, job.upload)
            if await self._store.start(job_id, traceparent, etag):
                self._wake(kind.kind)
            job = await self._refresh(job_id)
        if job.state in (State.CANCELLED, State.EXPIRED):
            raise _wrong_state(job)
        return job

    async def get(self, user_id: str, job_id: str) -> ClientJob:
        """The job as it is stored.

        Raises:
            NotFound: No such job.
            FailedPrecondition: It is a scan.
        """
        return await self._owned_truth(user_id, job_id)

    async def read(self, user_id: str, job_id: str) -> Snapshot:
        """The job, or the scan, as it is now.

        Raises:
            NotFound: No such job.
        """
        with missing_job(job_id):
            read = await self._progress.reader.read(job_id)
            return await self._progress.owners.owned(read, user_id, any_kind=True)

    async def page(self, user_id: str, kind: str, size: int, token: str) -> tuple[list[ClientJob], str]:
        """One page of a user's client jobs, newest first, and the token of the next one.

        Raises:
            InvalidArgument: The token isn't ours.
        """
        size = min(size or _PAGE_DEFAULT, _PAGE_LIMIT)
        jobs, last = await self._store.page(user_id, _decode(token) if token else None, size, kind)
        return jobs, base64.urlsafe_b64encode(UUID(last).bytes).decode().rstrip("=") if last else ""

    async def cancel(self, user_id: str, job_id: str) -> ClientJob:
        """Stops a job.

        Raises:
            NotFound: No such job.
            FailedPrecondition: It has finished otherwise.
        """
        job = await self._owned_truth(user_id, job_id)
        while not job.state.terminal:
            # Nothing to cancel means that it was started or ended at this very moment: look again.
            await self._store.cancel(job_id)
            job = await self._refresh(job_id)
        if job.state is not State.CANCELLED:
            raise _wrong_state(job)
        await self._files.tidy(job_id, "")
        return job

    async def delete(self, user_id: str, job_id: str) -> None:
        """Removes a job with its files and the scans that only it shows.

        Raises:
            NotFound: No such job.
            Unavailable: A store is down; call again.
        """
        await self._owned_truth(user_id, job_id)
        await self.remove(job_id)

    async def remove(self, job_id: str) -> None:
        """Removes a job, whoever's it is. What its worker stores at this moment is swept up later."""
        await self._store.cancel(job_id)  # whoever makes scans for it is fenced first
        while await self._store.remove_hidden_scans(job_id, _SCANS) == _SCANS:
            pass
        await self._files.remove_all(job_id)
        await self._store.remove(job_id)
        await self._progress.snapshots.forget(job_id)

    async def erase(self, user_id: str) -> None:
        """Removes a user's client jobs.

        Raises:
            Unavailable: A store is down; what is removed stays so.
        """
        while job_ids := await self._store.of_user(user_id, _PAGE_LIMIT):
            for job_id in job_ids:
                await self.remove(job_id)

    async def transfer(self, from_user: str, to_user: str) -> None:
        """Gives a user's client jobs to another one."""
        await self._progress.refresh(await self._store.transfer(from_user, to_user))

    def _kind(self, name: str, field: str) -> JobType:
        kind = self._types.find(name)
        if kind is None:
            raise FailedPrecondition(Reason.JOB_KIND_UNAVAILABLE, kind=name, field=field)
        return kind

    async def _refresh(self, job_id: str) -> ClientJob:
        """Shows a job as it is stored now."""
        await self._progress.refresh((job_id,))
        return await self._store.get(job_id)

    async def _owned_truth(self, user_id: str, job_id: str) -> ClientJob:
        """A job as it is stored.

        Raises:
            NotFound: No such job.
            FailedPrecondition: It is a scan.
        """
        found = (await self._store.get_many((job_id,))).get(job_id)
        if isinstance(found, Exception):
            raise found
        if found is None:
            scan = await self.read(user_id, job_id)
            raise FailedPrecondition(Reason.JOB_STATE, job_id=job_id, state=scan.state)
        if found.user_id != user_id:
            raise NotFound(Reason.JOB_NOT_FOUND, job_id=job_id)
        return found


@contextmanager
def missing_job(job_id: str) -> Iterator[None]:
    """Whoever asks for a job is told that there is none, and not of scans."""
    try:
        yield
    except NotFound as error:
        raise NotFound(Reason.JOB_NOT_FOUND, job_id=job_id) from error


def _wrong_state(job: ClientJob) -> FailedPrecondition:
    return FailedPrecondition(Reason.JOB_STATE, job_id=job.job_id, state=job.state)


def _decode(token: str) -> UUID:
    try:
        return UUID(bytes=base64.b64decode(token + "==", altchars=b"-_", validate=True))
    except (ValueError, binascii.Error) as error:
        raise InvalidArgument(Reason.INVALID_PAGE_TOKEN) from error
