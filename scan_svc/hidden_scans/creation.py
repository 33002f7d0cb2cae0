"""Makes hidden scans as their user would: the same addresses are refused, and uploads pass the same checks."""

from collections.abc import Callable

from mesh.errors import FailedPrecondition
from mesh.s3.bucket import Bucket
from scan_svc.meters import ScanMeters
from scan_svc.scans import NewScan, PhotoUpload, Scan, ScanRequest, State
from scan_svc.store import ScanStore
from scan_svc.uploads import Uploads


class HiddenScans:
    """Creates scans for client jobs.

    They pass no admission, since whoever feeds them keeps few of them open.

    Args:
        store: The scans of all users.
        uploads: Their photos.
        bucket: Where photos are put that don't come from users' phones.
        wake: Wakes the workers.
        new_id: Makes scan ids.
        meters: Count what is created.
    """

    def __init__(
        self,
        store: ScanStore,
        uploads: Uploads,
        bucket: Bucket,
        wake: Callable[[], None],
        new_id: Callable[[], str],
        meters: ScanMeters | None = None,
    ) -> None:
        self._store = store
        self._uploads = uploads
        self._bucket = bucket
        self._wake = wake
        self._new_id = new_id
        self._meters = meters or ScanMeters.off()

    async def create(self, request: ScanRequest, traceparent: str, photo: bytes = b"") -> Scan:
        """Creates a scan, or returns the one that the same request has made before.

        Args:
            request: What is asked for, with a request_id.
            traceparent: The trace that its work goes on with.
            photo: What is to be uploaded; empty if the request names an address.

        Raises:
            InvalidArgument: The photo's address can't be used.
            FailedPrecondition: The photo isn't the announced one.
            Unavailable: Storage doesn't answer.
        """
        scan_id = self._new_id()
        scan, is_new = await self._store.create(
            NewScan(scan_id, self._uploads.photo(scan_id, request.photo), request), traceparent
        )
        if is_new:
            self._meters.created()
        if scan.state is State.AWAITING_UPLOAD and isinstance(request.photo, PhotoUpload):
            await self._upload(scan, photo, traceparent)
        elif is_new:
            self._wake()
        return scan

    async def _upload(self, scan: Scan, photo: bytes, traceparent: str) -> None:
        await self._bucket.put(scan.photo.object_key, photo, {"Content-Type": scan.photo.content_type})
        try:
            etag = await self._uploads.verify(scan.scan_id, scan.photo)
        except FailedPrecondition:
            if (await self._store.get(scan.scan_id)).state is State.AWAITING_UPLOAD:
                raise
            return  # another worker was first, and its upload is gone already
        if await self._store.start(scan.scan_id, traceparent, etag):
            self._wake()
