"""Jobs: what takes longer than a call."""

from collections.abc import AsyncIterator, Mapping
from os import PathLike
from pathlib import Path
from typing import Any
from uuid import uuid4

from eco2_client._async.api import AsyncApi
from eco2_client._async.runtime import Stream, closing, in_thread
from eco2_client._async.uploading import Announced, uploaded
from eco2_client._async.watching import AsyncWatch
from eco2_client.errors import Disconnected, Eco2Error, JobFailed, NoFile, TimedOut
from eco2_client.files import File, measure
from eco2_client.models import (
    BatchSpec,
    CreateJobResponse,
    ExportSpec,
    Job,
    JobKind,
    JobState,
    ListJobsResponse,
    VideoSpec,
)
from eco2_client.requests import Request, given
from eco2_client.retries import Attempts
from eco2_client.structs import Message
from eco2_client.watched import JOBS

JobSpec = BatchSpec | ExportSpec | VideoSpec

_FIELDS: Mapping[type[JobSpec], str] = {BatchSpec: "batch", ExportSpec: "export", VideoSpec: "video"}
_UPLOAD_SECONDS = 600.0
_WAIT_SECONDS = 3600.0


class AsyncJobs:
    """`client.jobs`. Each call may also raise Unauthenticated, Unavailable, Disconnected and TimedOut."""

    def __init__(self, api: AsyncApi) -> None:
        self._api = api

    async def create(
        self, spec: JobSpec, *, file: File | None = None, content_type: str = "", locale: str = "",
        request_id: str = "", timeout: float = _UPLOAD_SECONDS,
    ) -> Job:  # fmt: skip
        """Asks for a job; if it wants a file, uploads that and starts the job, whatever breaks meanwhile.

        Args:
            spec: What it is to do.
            file: A path, or the bytes.
            content_type: Media type of the file; by default by the path's extension.
            locale: Language of the results; by default the client's.
            request_id: Makes it happen once: who calls again with the same one and the same content gets the same job.
            timeout: Most seconds until it is queued.

        Raises:
            InvalidArgument: `fields` says what is wrong.
            FailedPrecondition: JOB_KIND_UNAVAILABLE.
            AlreadyExists: JOB_REQUEST_ID_REUSED.
            ResourceExhausted: JOB_LIMIT, RATE_LIMIT.
            ValueError: Nobody says of what type the file is.
            OSError: It can't be read.
            UploadRefused: Storage doesn't take it.
        """
        attempts = self._api.http.attempts(timeout)
        body = self._body(spec, locale, request_id)
        if file is None:
            return (await AsyncJobSteps(self._api, body).announce(attempts)).of
        measured = await in_thread(measure, file, content_type)
        upload = {
            "content_type": measured.content_type, "size_bytes": measured.size_bytes, "sha256": measured.sha256,
        }  # fmt: skip
        return await uploaded(
            self._api.http, AsyncJobSteps(self._api, {**body, "upload": upload}), measured.content, attempts
        )

    async def announce(
        self, spec: JobSpec, *, content_type: str, size_bytes: int, sha256: str = "", locale: str = "",
        request_id: str = "",
    ) -> CreateJobResponse:  # fmt: skip
        """Asks for a job whose file somebody else uploads: the reply says where. Then call `start`.

        Args:
            spec: What it is to do.
            content_type: Media type of the file.
            size_bytes: Its exact size.
            sha256: Of it, in hex: then storage refuses anything else.
            locale: Language of the results; by default the client's.
            request_id: Makes the call happen once; by default each call is a job of its own.

        Raises:
            InvalidArgument: `fields` says what is wrong.
            ResourceExhausted: JOB_LIMIT, RATE_LIMIT.
        """
        upload = given(content_type=content_type, size_bytes=size_bytes, sha256=sha256)
        body = {**self._body(spec, locale, request_id), "upload": upload}
        return await self._api.call(Request("POST", "/v1/jobs", CreateJobResponse, body=body))

    async def start(self, job_id: str) -> Job:
        """Starts a job whose file was uploaded.

        Raises:
            NotFound: There is none.
            FailedPrecondition: UPLOAD_MISSING, UPLOAD_MISMATCH, JOB_STATE.
        """
        return await self._api.call(Request("POST", f"{JOBS.path(job_id)}:start", Job, body={}))

    async def get(self, job_id: str) -> Job:
        """A job, or a scan, as it is now.

        Raises:
            NotFound: There is none, or it isn't the caller's.
        """
        return await self._api.call(Request("GET", JOBS.path(job_id), Job))

    async def list(self, *, kind: JobKind | None = None, page_size: int = 20) -> AsyncIterator[Job]:
        """The user's jobs, newest first, without scans. Pages are fetched as they are needed.

        Args:
            kind: Only these.
            page_size: How many to fetch at a time, at most 100.
        """
        token = ""
        while True:
            page = await self.page(token, kind=kind, page_size=page_size)
            for job in page.jobs:
                yield job
            if not (token := page.next_page_token):
                return

    async def page(self, page_token: str = "", *, kind: JobKind | None = None, page_size: int = 20) -> ListJobsResponse:
        """One page of the user's jobs.

        Args:
            page_token: `next_page_token` of the page before; empty for the first.
            kind: Only these.
            page_size: How many at most, up to 100.

        Raises:
            InvalidArgument: INVALID_PAGE_TOKEN.
        """
        query = given(page_token=page_token, kind=kind, page_size=page_size)
        return await self._api.call(Request("GET", "/v1/jobs", ListJobsResponse, query=query))

    async def watch(self, job_id: str, *, timeout: float = _WAIT_SECONDS) -> Stream[Job]:
        """A job as it is now, and after each change, the last time when it has ended, however that is.

        Args:
            job_id: Which.
            timeout: Most seconds to watch it.

        Raises:
            NotFound: There is none, or it was deleted.
        """
        watch = AsyncWatch(self._api.http, self._api.tokens, JOBS, job_id, timeout)
        async with closing(watch.snapshots()) as snapshots:
            async for snapshot in snapshots:
                yield snapshot.of

    async def wait(self, job_id: str, *, timeout: float = _WAIT_SECONDS) -> Job:
        """A job when it has succeeded.

        Args:
            job_id: Which.
            timeout: Most seconds to wait for it; it goes on meanwhile.

        Raises:
            JobFailed: It ended otherwise.
            NotFound: There is none, or it was deleted.
        """
        job = Job()
        async with closing(self.watch(job_id, timeout=timeout)) as states:
            async for state in states:
                job = state
        if job.state is not JobState.SUCCEEDED:
            raise JobFailed(job)
        return job

    async def download(self, job_id: str, path: str | PathLike[str], *, timeout: float = _UPLOAD_SECONDS) -> Job:
        """Fetches the file that a job has made. It is there as a whole, or not at all.

        Args:
            job_id: Which.
            path: Where to put it; what is there is replaced.
            timeout: Most seconds for it.

        Raises:
            NoFile: There is none: not yet, or not any more.
            NotFound: There is no such job.
            OSError: It can't be written.
        """
        attempts, target = self._api.http.attempts(timeout), Path(path)
        part = target.with_name(f".{target.name}.{uuid4().hex}.part")
        try:
            while True:
                job = await self._api.call(Request("GET", JOBS.path(job_id), Job), attempts.left())
                if not job.download_url:
                    raise NoFile(f"job {job_id} has no file")
                try:
                    await self._api.http.download(job.download_url, part, attempts)
                except Eco2Error as error:
                    await self._api.http.clock.sleep(attempts.pause_after(error))
                    continue
                part.replace(target)
                return job
        finally:
            part.unlink(missing_ok=True)

    async def cancel(self, job_id: str) -> Job:
        """Stops a job; it keeps what it has done.

        Raises:
            NotFound: There is none.
            FailedPrecondition: JOB_STATE: it has finished otherwise, or is a scan.
        """
        return await self._api.call(Request("POST", f"{JOBS.path(job_id)}:cancel", Job, body={}))

    async def delete(self, job_id: str) -> None:
        """Removes a job with its files and the scans that only it shows.

        Raises:
            NotFound: There is none.
            FailedPrecondition: JOB_STATE: it is a scan.
        """
        await self._api.call(Request("DELETE", JOBS.path(job_id), Message, removes=True))

    def _body(self, spec: JobSpec, locale: str, request_id: str) -> dict[str, Any]:
        return {
            _FIELDS[type(spec)]: spec, "locale": locale or self._api.http.locale,
            "request_id": request_id or str(uuid4()),
        }  # fmt: skip


class AsyncJobSteps:
    """What stands before and after the upload of a job's file.

    Args:
        api: The API.
        body: Of CreateJob. Its request_id makes it the same job each time.
    """

    def __init__(self, api: AsyncApi, body: Mapping[str, Any]) -> None:
        self._api = api
        self._body = body

    async def announce(self, attempts: Attempts) -> Announced[Job]:
        """The job, and where to put its file while that is missing."""
        request = Request("POST", "/v1/jobs", CreateJobResponse, body=self._body)
        created = await self._api.call(request, attempts.left())
        if created.job is None:
            raise Disconnected("what answers isn't Eco²")
        late = TimedOut("the file wasn't uploaded in the time given", job_id=created.job.job_id)
        return Announced(created.job, created.upload, late)

    async def start(self, of: Job, attempts: Attempts) -> Job:
        """Queues it."""
        request = Request("POST", f"{JOBS.path(of.job_id)}:start", Job, body={})
        return await self._api.call(request, attempts.left())
