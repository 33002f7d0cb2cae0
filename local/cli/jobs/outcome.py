"""How a job ended, as a command tells it."""

from eco2.jobs.v1.job_pb2 import Job
from local.cli.api.errors import ApiError, ErrorText
from mesh.locale import Locale


def demand_success(job: Job, locale: Locale) -> None:
    """Returns if a job has succeeded.

    Raises:
        ApiError: It hasn't; with its own error, or with what it ended in.
    """
    if job.state == Job.STATE_FAILED:
        raise ApiError(ErrorText.of(job.error, locale))
    if job.state != Job.STATE_SUCCEEDED:
        raise ApiError(ErrorText(Job.State.Name(job.state).replace("STATE", "JOB"), job.message))
