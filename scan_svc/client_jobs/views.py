"""Jobs as a reader sees them: from snapshots, whatever they are of, and from PostgreSQL."""

from functools import lru_cache

from eco2.jobs.v1 import job_pb2, jobs_service_pb2
from eco2.scan.v1 import scan_pb2
from mesh.grpc.encoded import Encoded
from mesh.grpc.identity import Caller
from mesh.locale import Locale
from scan_svc.client_jobs import wire
from scan_svc.client_jobs.client_jobs import ClientJob, File
from scan_svc.client_jobs.files import JobFiles
from scan_svc.client_jobs.messages import message
from scan_svc.client_jobs.work import JobTypes
from scan_svc.progress import wire as progress_wire
from scan_svc.progress.snapshots import SCAN, Snapshot
from scan_svc.progress.watchers import WatchEvent

_KEPT = 1024


class JobViews:
    """Makes what readers are sent.

    Args:
        types: The kinds there are.
        files: Where their files can be fetched.
    """

    def __init__(self, types: JobTypes, files: JobFiles) -> None:
        self._types = types
        self._files = files
        # By what they say, so that none is ever out of date; of jobs without a file, whose address changes.
        self._without_file = lru_cache(_KEPT)(self._job)

    def job(self, job: ClientJob, who: Caller) -> job_pb2.Job:
        """A client job."""
        return wire.job(job, self._types, who.reads(job.locale), self._files.address(job.file) if job.file else None)

    def shown(self, snapshot: Snapshot, who: Caller) -> Encoded:
        """A client job or a scan, encoded."""
        if snapshot.file_key:
            return Encoded(self.read(snapshot, who).SerializeToString())
        said = progress_wire.line(snapshot, who) if snapshot.kind == SCAN else ""
        return self._without_file(snapshot.kind, snapshot.body, who.reads(snapshot.locale), said)

    def read(self, snapshot: Snapshot, who: Caller) -> job_pb2.Job:
        """A client job or a scan."""
        if snapshot.kind == SCAN:
            return _of_scan(snapshot.body, progress_wire.line(snapshot, who))
        shown = job_pb2.Job.FromString(snapshot.body)
        return self._said(shown, snapshot.kind, who.reads(snapshot.locale), snapshot.file_key)

    def event(self, event: WatchEvent, who: Caller) -> jobs_service_pb2.WatchJobResponse:
        """One event of a watch."""
        number = jobs_service_pb2.WatchJobResponse.Type.Value(f"TYPE_{event.kind}")
        job = self.read(event.scan, who) if event.scan else None
        return jobs_service_pb2.WatchJobResponse(type=number, job=job)

    def _job(self, kind: str, body: bytes, locale: Locale, said: str) -> Encoded:
        if kind == SCAN:
            return Encoded(_of_scan(body, said).SerializeToString())
        return Encoded(self._said(job_pb2.Job.FromString(body), kind, locale, "").SerializeToString())

    def _said(self, job: job_pb2.Job, kind: str, locale: Locale, file_key: str) -> job_pb2.Job:
        """Adds what depends on the reader and the moment."""
        state = wire.state(job)
        job.message = message(self._types.find(kind), state, job.step, job.done, job.total, locale)
        if file_key:
            job.MergeFrom(wire.addressed(self._files.address(File(file_key, job.size_bytes))))
        return job


def _of_scan(body: bytes, said: str) -> job_pb2.Job:
    """A scan as a job; what it found out is ScanService's to tell."""
    scan = scan_pb2.Scan.FromString(body)
    return job_pb2.Job(
        job_id=scan.scan_id,
        kind=job_pb2.Job.KIND_SCAN,
        state=scan.state,  # type: ignore[arg-type]  # of the same numbers
        percent=scan.progress.percent,
        step=scan.progress.stage,
        message=said,
        error=scan.error if scan.HasField("error") else None,
        cost_micro_usd=sum(stage.usage.cost_micro_usd for stage in scan.stages),
        version=scan.version,
        locale=scan.locale,
        create_time=scan.create_time,
        start_time=scan.start_time if scan.HasField("start_time") else None,
        finish_time=scan.finish_time if scan.HasField("finish_time") else None,
    )
