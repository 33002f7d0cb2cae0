"""A user's replies to answers, open questions or not: one at work per scan, in all processes.

Whoever comes first reserves the scan and starts the work (`scan_svc.replies.execution`), which goes on if they leave.
Whoever repeats the request waits for its outcome; another reply meanwhile is refused before anything is paid for it.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from mesh.concurrency.tasks import end
from mesh.errors import Aborted, AlreadyExists, DeadlineExceeded, FailedPrecondition, NotFound
from mesh.observability import tracing
from mesh.reasons import Reason
from scan_svc.replies.execution import MOST_SECONDS, STAGE, ReplyContext, ReplyExecution, ReplyOutcome
from scan_svc.replies.store import CONTEST_SECONDS, ReplyLease
from scan_svc.scans import Scan, State

# How often another process' reply is asked for.
_POLL_SECONDS = 0.25
# How long replies at work may take to end once the process leaves, after the grace that their callers had.
_LEAVING_SECONDS = 5.0


class Replies:
    """The replies to one user's scans at a time; others' are NOT_FOUND.

    Args:
        context: What replies at work need.
        load: Reads a scan from PostgreSQL; raises NotFound.
    """

    def __init__(self, context: ReplyContext, load: Callable[[str], Awaitable[Scan]]) -> None:
        self._context = context
        self._store = context.store
        self._load = load
        self._at_work: dict[str, asyncio.Task[ReplyOutcome | None]] = {}

    async def answer(
        self,
        user_id: str,
        scan_id: str,
        text: str,
        request_id: str,
        seconds: float | None,
        *,
        may_learn: bool = False,
    ) -> ReplyOutcome:
        """Makes a finished scan's answer more precise by what its user replied, or corrects it.

        Args:
            user_id: Who replies.
            scan_id: To which scan.
            text: What they reply.
            request_id: Makes it idempotent for this scan; may be empty.
            seconds: What remains of the caller's time; None for as long as it takes. The work goes on without them.
            may_learn: Whether what it says of the classification may be kept as a label of the photo.

        Raises:
            NotFound: No such scan.
            FailedPrecondition: It hasn't succeeded.
            AlreadyExists: The request_id came with another reply.
            Aborted: Another reply is at work.
            DeadlineExceeded: It takes longer than the caller has; a repetition waits for it.
        """
        ends_at = time.monotonic() + min(seconds or MOST_SECONDS, MOST_SECONDS)
        while True:
            scan = await self._load(scan_id)
            if scan.user_id != user_id:
                raise NotFound(Reason.SCAN_NOT_FOUND, scan_id=scan_id)
            if earlier := await self._earlier(scan, text, request_id):
                return earlier
            _check_answered(scan)
            lease = await self._store.reserve(scan, text, request_id)
            if lease is None:
                await self._wait_or_refuse(scan_id, text, request_id, ends_at)
            elif replied := await self._work(lease, scan, text, request_id, ends_at, may_learn=may_learn):
                return replied
            # Another reply was first and may have settled it all, or the scan was deleted: look again.

    async def leave(self) -> None:
        """Lets the replies at work end; those that take too long store what they have."""
        if tasks := list(self._at_work.values()):
            await asyncio.wait(tasks, timeout=_LEAVING_SECONDS)
            await end(*tasks)

    async def _earlier(self, scan: Scan, text: str, request_id: str) -> ReplyOutcome | None:
        """The response that the same request got before.

        Raises:
            AlreadyExists: It was another reply.
        """
        earlier = await self._store.find(scan.scan_id, request_id) if request_id else None
        if earlier is None:
            return None
        if earlier.text != text:
            raise AlreadyExists(Reason.REQUEST_ID_REUSED, request_id=request_id, scan_id=scan.scan_id)
        # Read again: it may have been stored since the scan was read.
        return ReplyOutcome(await self._load(scan.scan_id), earlier.understood, earlier.message)

    async def _work(
        self, lease: ReplyLease, scan: Scan, text: str, request_id: str, ends_at: float, *, may_learn: bool
    ) -> ReplyOutcome | None:
        # The same request may have been answered between the look and the lease.
        if request_id and await self._store.find(scan.scan_id, request_id):
            await self._store.release(lease)
            return None
        execution = ReplyExecution(self._context, lease, scan, text, may_learn=may_learn)
        tracing.belongs_to(lease.traceparent)
        task = asyncio.create_task(execution.run(), name="reply")
        self._at_work[scan.scan_id] = task
        task.add_done_callback(lambda _: self._ended(scan.scan_id, task))
        # Waited for and not awaited: a caller who hangs up takes nothing with them.
        await asyncio.wait((task,), timeout=ends_at - time.monotonic())
        if not task.done():
            raise DeadlineExceeded(Reason.DEADLINE_EXCEEDED, stage=STAGE, retry_after=1.0)
        return task.result()

    async def _wait_or_refuse(self, scan_id: str, text: str, request_id: str, ends_at: float) -> None:
        """Waits a moment for the same request at work; for any other the caller is refused.

        Raises:
            AlreadyExists: The request_id came with another reply.
            Aborted: Another reply is at work, or the same one for longer than the caller has.
        """
        holder = await self._store.holder(scan_id)
        if holder is None:
            return  # it has just ended
        if not request_id or holder.request_id != request_id:
            raise _underway(scan_id)
        if holder.text != text:
            raise AlreadyExists(Reason.REQUEST_ID_REUSED, request_id=request_id, scan_id=scan_id)
        left = ends_at - time.monotonic()
        if left <= 0:
            raise _underway(scan_id)
        if task := self._at_work.get(scan_id):
            await asyncio.wait((task,), timeout=left)
        else:
            await asyncio.sleep(min(_POLL_SECONDS, left))

    def _ended(self, scan_id: str, task: "asyncio.Task[ReplyOutcome | None]") -> None:
        if self._at_work.get(scan_id) is task:
            del self._at_work[scan_id]
        if not task.cancelled():
            task.exception()  # its caller may have left


@asynccontextmanager
async def open_replies(context: ReplyContext, load: Callable[[str], Awaitable[Scan]]) -> AsyncIterator[Replies]:
    """The replies, as `Replies` is made; at exit those at work end."""
    replies = Replies(context, load)
    try:
        yield replies
    finally:
        await replies.leave()


def _underway(scan_id: str) -> Aborted:
    return Aborted(Reason.REPLY_UNDERWAY, scan_id=scan_id, retry_after=CONTEST_SECONDS)


def _check_answered(scan: Scan) -> None:
    if scan.state is not State.SUCCEEDED or scan.results.answer is None:
        raise FailedPrecondition(Reason.SCAN_STATE, scan_id=scan.scan_id, state=scan.state)
