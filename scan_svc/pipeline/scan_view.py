"""A scan as its readers see it while a worker has it: never at an earlier point than before."""

from collections.abc import Callable

from msgspec.structs import replace

from mesh import outages
from mesh.errors import NotFound
from scan_svc.jobs.leases import End, Lease, PutBack
from scan_svc.progress.progress import Progress
from scan_svc.scans import Failure, Scan, State, Step


class ScanView:
    """What readers are shown of one scan during one lease.

    Args:
        progress: Where it is shown.
        scan: The scan as the lease found it.
        store: Begins to store what is shown and isn't stored yet; called when Redis can't carry it.

    Attributes:
        scan: As it was shown last.
    """

    def __init__(self, progress: Progress, scan: Scan, store: Callable[[], None]) -> None:
        self._progress = progress
        self._store = store
        self.scan = scan

    def show(self, lease: Lease, scan: Scan) -> None:
        """Shows the scan as it is, at the stage of its lease."""
        self.scan = scan
        self._progress.show(lease, scan, self._store)

    def show_step(self, lease: Lease, scan: Scan) -> None:
        """Shows a step inside a stage."""
        self.show(lease, replace(self.advanced(scan), state=State.RUNNING))

    def show_queued(self, lease: Lease, back: PutBack, step: Step) -> None:
        """Shows a scan that was put back as it is stored, so that a read of the database shows nothing earlier."""
        queued = replace(self.scan, version=back.version, percent=back.percent, answer_draft="")
        self.show(lease, replace(queued, state=State.QUEUED, step=step))

    def show_failed(self, lease: Lease, ended: End, failure: Failure) -> None:
        """Shows the failure that ended the scan."""
        failed = replace(self.scan, state=State.FAILED, version=ended.version, finished_at=ended.finished_at)
        self.show(lease, replace(failed, error=failure, answer_draft=""))

    def advanced(self, scan: Scan) -> Scan:
        """The scan as the next version; a stage that is tried again shows the percentage its last try had reached."""
        return replace(scan, version=self.scan.version + 1, percent=max(scan.percent, self.scan.percent))

    async def correct(self) -> None:
        """Shows what is stored, after an outage: it may be one's own last write, which readers haven't seen."""
        try:
            await self._progress.reader.refresh(self.scan.scan_id)
        except NotFound:  # deleted
            return
        except Exception as error:
            if outages.from_exception(error) is None:
                raise
