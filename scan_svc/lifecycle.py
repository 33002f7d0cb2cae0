"""What users do with their scans: create, start, read, cancel, delete."""

import base64
import binascii
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import structlog

from mesh.addresses import check_url
from mesh.errors import EcoError, FailedPrecondition, InvalidArgument, NotFound, ResourceExhausted
from mesh.observability import tracing
from mesh.reasons import Reason
from scan_svc.admission import Admission
from scan_svc.meters import ScanMeters
from scan_svc.progress.progress import Progress
from scan_svc.progress.snapshots import Snapshot
from scan_svc.scans import NewScan, Priority, Scan, ScanRequest, State
from scan_svc.store import ScanStore
from scan_svc.uploads import Ticket, Uploads
from scan_svc.webhooks.store import WebhookStore

_log = structlog.get_logger("lifecycle")

_PAGE_DEFAULT = 20
_PAGE_LIMIT = 100


@dataclass(frozen=True, slots=True)
class Created:
    """A scan that was created.

    Attributes:
        scan: The scan.
        ticket: How to upload its photo; None unless it waits for one.
        webhook_secret: What its webhooks are signed with; empty if it has no callback_url.
    """

    scan: Scan
    ticket: Ticket | None
    webhook_secret: str


@dataclass(frozen=True, slots=True)
class AdmissionControl:
    """What a scan passes on its way in.

    Attributes:
        admission: Whether there is room.
        wake: Wakes the workers.
        meters: Count who was let in.
    """

    admission: Admission
    wake: Callable[[], None]
    meters: ScanMeters

    def enter(self, priority: Priority) -> None:
        """Says whether a scan may be created or started now.

        Raises:
            ResourceExhausted: Not now; with the time after which to try again.
        """
        try:
            self.admission.check(priority)
        except ResourceExhausted:
            self.meters.admission(priority.name.lower(), admitted=False)
            raise
        self.meters.admission(priority.name.lower(), admitted=True)

    def queued(self, priority: Priority) -> None:
        """A scan was queued."""
        self.admission.entered(priority)
        self.wake()


class Lifecycle:
    """The scans of one user at a time; others' are NOT_FOUND.

    Args:
        store: PostgreSQL.
        progress: Where changes are shown, and scans read.
        uploads: The photos.
        webhooks: Where a scan's end is announced.
        admission_control: Who may create a scan, and what follows when one is queued.
        demand_building: Raises NotFound if no building has a code; any other error if that can't be asked now.
        new_id: Makes scan ids.
        clock: The time.
        meters: Count what is created and cancelled.
        deleted: Awaited with user and scan when one was deleted.
    """

    def __init__(
        self,
        store: ScanStore,
        progress: Progress,
        uploads: Uploads,
        webhooks: WebhookStore,
        admission_control: AdmissionControl,
        demand_building: Callable[[str, str], Awaitable[None]],
        new_id: Callable[[], str],
        clock: Callable[[], datetime],
        meters: ScanMeters | None = None,
        deleted: Callable[[str, str], Awaitable[None]] | None = None,
    ) -> None:
        self._store = store
        self._progress = progress
        self._uploads = uploads
        self._webhooks = webhooks
        self._admission_control = admission_control
        self._demand_building = demand_building
        self._new_id = new_id
        self._clock = clock
        self._meters = meters or ScanMeters.off()
        self._deleted = deleted

    async def create(self, request: ScanRequest, traceparent: str) -> Created:
        """Creates a scan.

        Raises:
            InvalidArgument: The photo's address can't be used, or the callback_url.
            NotFound: No building has the code that was sent.
            AlreadyExists: The request_id belongs to a scan with another content.
            ResourceExhausted: More scans wait than can be done in time.
        """
        scan_id, callback_url = self._new_id(), request.callback_url
        tracing.work_on(scan_id)
        new = NewScan(scan_id, self._uploads.photo(scan_id, request.photo), request)
        if callback_url:
            check_url(callback_url, field="callback_url")
        earlier = await self._let_in(request)
        # Once it is let in: an endpoint is a row, too. Before it is stored: it may end at any moment from then on.
        secret = await self._webhooks.secret(request.user_id, callback_url) if callback_url else ""
        scan = earlier or await self._stored(new, traceparent, secret)
        tracing.work_on(scan.scan_id)
        waiting = scan.state is State.AWAITING_UPLOAD
        return Created(scan, self._uploads.ticket(scan.photo, self._clock()) if waiting else None, secret)

    async def start(self, user_id: str, scan_id: str, traceparent: str) -> Scan:
        """Checks the uploaded photo and queues the scan.

        Raises:
            NotFound: No such scan.
            FailedPrecondition: The photo isn't there or isn't the announced one, or the scan is over.
            InvalidArgument: No size was announced, and the photo is empty or too large.
            ResourceExhausted: More scans wait than can be done in time.
        """
        scan = await self._owned_truth(user_id, scan_id)
        if scan.state is State.AWAITING_UPLOAD:
            self._admission_control.enter(scan.priority)
            scan = await self._start(scan, traceparent)
        if scan.state in (State.CANCELLED, State.EXPIRED):
            raise FailedPrecondition(Reason.SCAN_STATE, scan_id=scan_id, state=scan.state)
        return scan

    async def get(self, user_id: str, scan_id: str) -> Snapshot:
        """The scan as it is now.

        Raises:
            NotFound: No such scan.
        """
        return await self._progress.owners.owned(await self._progress.reader.read(scan_id), user_id)

    def expected_wait(self, scan: Snapshot) -> float | None:
        """Seconds until a queued scan is taken; None if it isn't queued, or that isn't known."""
        if scan.state is not State.QUEUED:
            return None
        return self._admission_control.admission.wait(self._clock().timestamp() - scan.queued_at, scan.priority)

    async def page(self, user_id: str, size: int, token: str) -> tuple[list[Scan], str]:
        """One page of a user's scans, newest first, and the token of the next one.

        Raises:
            InvalidArgument: The token isn't ours.
        """
        size = min(size or _PAGE_DEFAULT, _PAGE_LIMIT)
        scans, last = await self._store.page(user_id, _decode(token) if token else None, size)
        return scans, _encode(last) if last else ""

    async def cancel(self, user_id: str, scan_id: str) -> Scan:
        """Stops a scan.

        Raises:
            NotFound: No such scan.
            FailedPrecondition: It has finished otherwise.
        """
        scan = await self._owned_truth(user_id, scan_id)
        while not scan.state.terminal:
            # Nothing to cancel means that it was started or ended at this very moment: look again.
            if await self._store.cancel(scan_id):
                self._meters.ended("cancelled")
            scan = await self._progress.reader.refresh(scan_id)
        if scan.state is not State.CANCELLED:
            raise FailedPrecondition(Reason.SCAN_STATE, scan_id=scan_id, state=scan.state)
        return scan

    async def delete(self, user_id: str, scan_id: str) -> None:
        """Removes a scan with its photo and results.

        Raises:
            NotFound: No such scan.
        """
        scan = await self._owned_truth(user_id, scan_id)
        await self._store.delete(scan_id)  # from then on its photo is due for removal, whatever happens to this call
        if scan.photo.uploaded:
            await self._uploads.remove(scan.photo)
        await self._progress.snapshots.forget(scan_id)
        if self._deleted:
            await self._deleted(user_id, scan_id)

    async def _start(self, waiting: Scan, traceparent: str) -> Scan:
        scan_id = waiting.scan_id
        try:
            etag = await self._uploads.verify(scan_id, waiting.photo)
        except (FailedPrecondition, InvalidArgument):
            # A start at the same moment may have won, and the upload be gone since: only its clean copy stays.
            scan = await self._store.get(scan_id)
            if scan.state is State.AWAITING_UPLOAD:
                raise
            return scan
        if await self._store.start(scan_id, traceparent, etag):
            self._admission_control.queued(waiting.priority)
        return await self._progress.reader.refresh(scan_id)

    async def _let_in(self, request: ScanRequest) -> Scan | None:
        """Whether a scan may be created: None; or, if it can't, the one that the same request has made before."""
        try:
            self._admission_control.enter(request.priority)
            await self._check_building(request)
        except (ResourceExhausted, NotFound):
            # A repetition takes no room: its scan is there, whatever became of its building.
            earlier = await self._store.made_before(request) if request.request_id else None
            if earlier is None:
                raise
            return earlier
        return None

    async def _check_building(self, request: ScanRequest) -> None:
        """Refuses a code that no building has. While that can't be asked the scan is taken, and told what it can be."""
        if not request.building:
            return
        try:
            await self._demand_building(request.building, request.user_id)
        except NotFound:
            raise
        except EcoError as error:
            _log.warning("building not checked", error=repr(error))

    async def _stored(self, new: NewScan, traceparent: str, secret: str) -> Scan:
        scan, is_new = await self._store.create(new, traceparent, secret)
        if is_new:
            self._meters.created()
            self._progress.snapshots.announce(scan)
        if is_new and scan.state is State.QUEUED:
            self._admission_control.queued(scan.priority)
        return scan

    async def _owned_truth(self, user_id: str, scan_id: str) -> Scan:
        return _owned(await self._store.get(scan_id), user_id)


def _owned(scan: Scan, user_id: str) -> Scan:
    if scan.user_id != user_id:
        raise NotFound(Reason.SCAN_NOT_FOUND, scan_id=scan.scan_id)
    return scan


def _encode(scan_id: str) -> str:
    return base64.urlsafe_b64encode(UUID(scan_id).bytes).decode().rstrip("=")


def _decode(token: str) -> UUID:
    try:
        return UUID(bytes=base64.b64decode(token + "==", altchars=b"-_", validate=True))
    except (ValueError, binascii.Error) as error:
        raise InvalidArgument(Reason.INVALID_PAGE_TOKEN) from error
