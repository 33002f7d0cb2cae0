"""A user's jobs over REST: batches, exports, clips, reminders."""

import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self
from urllib.parse import quote

from eco2.jobs.v1 import jobs_service_pb2
from eco2.jobs.v1.job_pb2 import Job
from local.cli.api.http import Http
from mesh.locale import Locale

_POLL_SECONDS = 1.0
_ENDED = (Job.STATE_SUCCEEDED, Job.STATE_FAILED, Job.STATE_CANCELLED, Job.STATE_EXPIRED)


class JobsClient:
    """A signed-in user's client of their jobs. Use it in a `with` block.

    Args:
        base_url: Of the edge.
        token: The user's bearer token.
        locale: Language of texts and errors.
    """

    def __init__(self, base_url: str, token: str, locale: Locale) -> None:
        self._http = Http(base_url, locale, token)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._http.__exit__(kind, error, at)

    def create(self, request: jobs_service_pb2.CreateJobRequest) -> jobs_service_pb2.CreateJobResponse:
        """Creates a job; repeat it with the same request_id."""
        return self._http.call("POST", "/v1/jobs", jobs_service_pb2.CreateJobResponse(), request)

    def upload(self, created: jobs_service_pb2.CreateJobResponse, file: BinaryIO) -> Job:
        """Uploads a created job's file, and starts it; returns the job, queued."""
        target, path = created.upload, _path(created.job.job_id)
        self._http.upload(target.method, target.url, dict(target.headers), file)
        return self._http.call("POST", f"{path}:start", Job(), jobs_service_pb2.StartJobRequest())

    def get(self, job_id: str) -> Job:
        """A job as it is now."""
        return self._http.call("GET", _path(job_id), Job())

    def page(self, size: int, token: str) -> jobs_service_pb2.ListJobsResponse:
        """One page of the user's jobs, newest first."""
        query = {"page_size": size, "page_token": token}
        return self._http.call("GET", "/v1/jobs", jobs_service_pb2.ListJobsResponse(), query=query)

    def cancel(self, job_id: str) -> Job:
        """Stops a job."""
        return self._http.call("POST", f"{_path(job_id)}:cancel", Job(), jobs_service_pb2.CancelJobRequest())

    def follow(self, job_id: str) -> Iterator[Job]:
        """A job whenever it has changed, up to its end."""
        version = -1
        while True:
            job = self.get(job_id)
            if job.version != version:
                version = job.version
                yield job
            if has_ended(job):
                return
            time.sleep(_POLL_SECONDS)

    def fetch(self, address: str, file: Path) -> None:
        """Puts what is at a presigned address into a file, readable by its owner alone."""
        self._http.fetch(address, file)


def has_ended(job: Job) -> bool:
    """Whether a job is in a terminal state."""
    return job.state in _ENDED


def _path(job_id: str) -> str:
    return f"/v1/jobs/{quote(job_id, safe='')}"
