"""One call within the process: what its caller and its handler have of each other."""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NoReturn, TypeAlias

import grpc

Metadata: TypeAlias = Sequence[tuple[str, str | bytes]]
AuthContext: TypeAlias = Mapping[str, Sequence[bytes]]

# Bytes of a stream that its reader hasn't taken, from which on its handler waits: HTTP/2's window.
_WINDOW_BYTES = 65_535


class Rpc:
    """One call under way. To its handler it is the context, as gRPC's would be.

    Messages are handed over as bytes, so that neither side sees what the other does with its own afterwards; a typical
    one takes 2 us, and a copy would cost the same, since only bytes tell whether a message is too large.

    Args:
        timeout: Seconds until the caller gives up; None for never.
        caller: Who calls, as gRPC says it of a connection.

    Attributes:
        code: How it ended; None as long as it hasn't.
        details: What was said about that.
        trailing: Sent with the end.
        initial: Sent before the first reply; None as long as nothing was.
        cancelled_by_caller: Whether the caller has left.
    """

    __slots__ = (
        "_aborted", "_buffered", "_callbacks", "_caller", "_deadline", "_late", "_messages", "_task", "_timer",
        "_waiting", "cancelled_by_caller", "code", "details", "initial", "trailing",
    )  # fmt: skip

    def __init__(self, timeout: float | None, caller: AuthContext) -> None:
        self._caller = caller
        self.code: grpc.StatusCode | None = None
        self.details = ""
        self.trailing: Metadata = ()
        self.initial: Metadata | None = None
        self.cancelled_by_caller = False
        self._aborted: tuple[grpc.StatusCode, str, Metadata] | None = None
        self._messages: deque[bytes] = deque()
        self._buffered = 0
        self._waiting: list[asyncio.Future[None]] = []
        self._callbacks: list[Callable[[], object]] = []
        self._task: asyncio.Task[None] | None = None
        self._late = False
        self._deadline = self._timer = None
        if timeout is not None:
            self._deadline = time.monotonic() + timeout
            self._timer = asyncio.get_running_loop().call_later(max(timeout, 0.0), self._expire)

    # Both sides.

    def time_remaining(self) -> float | None:
        """Seconds until the caller gives up; None for never."""
        if self._deadline is None:
            return None
        return 0.0 if self._late else max(0.0, self._deadline - time.monotonic())

    def end(self, code: grpc.StatusCode, details: str = "", trailing: Metadata = ()) -> None:
        """Ends the call, unless it has ended; what has been sent can still be read."""
        if self.code is not None:
            return
        self.code, self.details, self.trailing = code, details, trailing
        if self._timer:
            self._timer.cancel()
        self._wake()
        callbacks, self._callbacks = self._callbacks, []  # they know this call: kept, each would be a cycle
        for callback in callbacks:
            callback()

    def when_ended(self, callback: Callable[[], object]) -> None:
        """Has a function called at the end."""
        if self.code is None:
            self._callbacks.append(callback)
        else:
            callback()

    def cut(self, code: grpc.StatusCode, details: str) -> bool:
        """Ends the call at once, and its handler with it; False if it has ended."""
        if self.code is not None:
            return False
        self._messages.clear()
        self.end(code, details)
        if self._task:
            self._task.cancel()
        return True

    async def changed(self) -> None:
        """Waits until something was sent, read or ended."""
        waiting = asyncio.get_running_loop().create_future()
        self._waiting.append(waiting)
        await waiting

    def _wake(self) -> None:
        if self._waiting:
            woken, self._waiting = self._waiting, []
            for waiting in woken:
                if not waiting.done():
                    waiting.set_result(None)

    def _expire(self) -> None:
        self._late = True
        self.cut(grpc.StatusCode.DEADLINE_EXCEEDED, "Deadline Exceeded")

    # The caller.

    def cancel(self, details: str) -> bool:
        """The caller leaves; False if the call has ended."""
        if self.code is None:
            self.cancelled_by_caller = True
        return self.cut(grpc.StatusCode.CANCELLED, details)

    async def receive(self) -> bytes | None:
        """The next message; None at the end."""
        while not self._messages:
            if self.code is not None:
                return None
            await self.changed()
        message = self._messages.popleft()
        self._buffered -= len(message)
        self._wake()
        return message

    @property
    def received(self) -> bool:
        """Whether nothing is to come any more."""
        return self.code is not None and not self._messages

    # The handler.

    def auth_context(self) -> AuthContext:
        """Who calls."""
        return self._caller

    def begin(self, task: "asyncio.Task[None]") -> None:
        """Names the task that the handler runs in."""
        self._task = task

    async def send_initial_metadata(self, metadata: Iterable[tuple[str, str | bytes]]) -> None:
        """Sends headers before the first reply."""
        if self.initial is not None:
            raise RuntimeError("initial metadata was sent before")
        self.initial = tuple(metadata)
        self._wake()

    async def send(self, message: bytes) -> None:
        """Sends a reply; waits while the caller reads more slowly than the handler writes."""
        while self._buffered >= _WINDOW_BYTES and self.code is None:
            await self.changed()
        self.put(message)

    def put(self, message: bytes) -> None:
        """Sends the only reply."""
        if self.initial is None:
            self.initial = ()
        if self.code is None:
            self._messages.append(message)
            self._buffered += len(message)
            self._wake()

    def trailing_metadata(self) -> Metadata:
        """What is to be sent with the end, so far."""
        return ()

    async def abort(self, code: grpc.StatusCode, details: str = "", trailing: Metadata = ()) -> NoReturn:
        """Ends the call with an error.

        Raises:
            grpc.aio.AbortError: Always.
        """
        self._aborted = code, details, trailing
        raise grpc.aio.AbortError

    def take_abort(self) -> tuple[grpc.StatusCode, str, Metadata] | None:
        """The error that the handler has ended with, if it has; forgotten then."""
        aborted, self._aborted = self._aborted, None
        return aborted
