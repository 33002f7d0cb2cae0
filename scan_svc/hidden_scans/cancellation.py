"""Ends hidden scans whose job was cancelled: nobody wants them any more, and they would cost."""

from scan_svc.hidden_scans.store import HiddenScanStore
from scan_svc.meters import ScanMeters
from scan_svc.store import ScanStore

_BATCH = 100


class HiddenCancellation:
    """Looks for them, again and again: a worker that was just about to make a scan may make it after the cancellation.

    Args:
        hidden: Knows which they are.
        scans: The scans of all users.
        meters: Count what is cancelled.
    """

    def __init__(self, hidden: HiddenScanStore, scans: ScanStore, meters: ScanMeters | None = None) -> None:
        self._hidden = hidden
        self._scans = scans
        self._meters = meters or ScanMeters.off()

    async def run(self) -> None:
        """Ends whatever is open of cancelled jobs now."""
        while scan_ids := await self._hidden.open_of_cancelled(_BATCH):
            for scan_id in scan_ids:
                if await self._scans.cancel(scan_id):
                    self._meters.ended("cancelled")
