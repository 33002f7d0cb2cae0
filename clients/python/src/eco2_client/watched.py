"""What can be watched until it ends: scans, and jobs."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from eco2_client.errors import TimedOut
from eco2_client.models import Job, JobState, Scan, ScanState, WatchJobResponse, WatchScanResponse
from eco2_client.requests import segment

T = TypeVar("T", Scan, Job)

_SCAN_ENDED = frozenset({ScanState.SUCCEEDED, ScanState.FAILED, ScanState.CANCELLED, ScanState.EXPIRED})
_JOB_ENDED = frozenset({JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED, JobState.EXPIRED})


@dataclass(frozen=True, slots=True)
class Watched(Generic[T]):
    """One kind of things that change until they end.

    Attributes:
        collection: Their path.
        form: What they are.
        event: What the watch of one tells.
        read: The thing that an event tells of; None of a heartbeat.
        ended: Whether one has ended.
        late: What to raise if one hasn't when the time is up, by its id.
    """

    collection: str
    form: type[T]
    event: type[Any]
    read: Callable[[Any], T | None]
    ended: Callable[[T], bool]
    late: Callable[[str], TimedOut]

    def path(self, id_: str) -> str:
        """The path of one."""
        return f"{self.collection}/{segment(id_)}"


SCANS: Watched[Scan] = Watched(
    "/v1/scans",
    Scan,
    WatchScanResponse,
    lambda event: event.scan,
    lambda scan: scan.state in _SCAN_ENDED,
    lambda scan_id: TimedOut(f"scan {scan_id} hasn't ended in the time given", scan_id),
)
JOBS: Watched[Job] = Watched(
    "/v1/jobs",
    Job,
    WatchJobResponse,
    lambda event: event.job,
    lambda job: job.state in _JOB_ENDED,
    lambda job_id: TimedOut(f"job {job_id} hasn't ended in the time given", job_id=job_id),
)
