"""What a caller holds of a call within the process: the interfaces of `grpc.aio`'s call objects."""

import asyncio
from collections.abc import AsyncIterator, Callable, Generator
from typing import Any

import grpc
from grpc.aio import EOF, AioRpcError, Metadata

from mesh.grpc.inprocess.rpc import Rpc

_CANCELLED = "Locally cancelled by application!"
_FORGOTTEN = "Cancelled upon garbage collection!"


class Call(grpc.aio.Call):
    """What calls with one reply and with many have in common.

    Args:
        rpc: The call.
        deserialize: Reads a reply; None leaves it as bytes.
    """

    def __init__(self, rpc: Rpc, deserialize: Callable[[bytes], Any] | None) -> None:
        self._rpc = rpc
        self._deserialize = deserialize

    def __del__(self) -> None:
        self._rpc.cancel(_FORGOTTEN)

    def cancelled(self) -> bool:
        """Whether it was cancelled."""
        return self._rpc.code is grpc.StatusCode.CANCELLED

    def done(self) -> bool:
        """Whether it has ended and everything was read."""
        return self._rpc.received

    def time_remaining(self) -> float | None:
        """Seconds until its deadline; None if it has none."""
        return self._rpc.time_remaining()

    def cancel(self) -> bool:
        """Cancels it, and its handler with it; False if it has ended."""
        return self._rpc.cancel(_CANCELLED)

    def add_done_callback(self, callback: Callable[[Any], Any]) -> None:
        """Has a function called with this call at its end."""
        self._rpc.when_ended(lambda: callback(self))

    async def initial_metadata(self) -> Metadata:
        """What the handler sent before its first reply."""
        while self._rpc.initial is None and self._rpc.code is None:
            await self._rpc.changed()
        return Metadata.from_tuple(tuple(self._rpc.initial or ()))

    async def trailing_metadata(self) -> Metadata:
        """What came with its end."""
        await self._end()
        return Metadata.from_tuple(tuple(self._rpc.trailing))

    async def code(self) -> grpc.StatusCode:
        """How it ended."""
        await self._end()
        assert self._rpc.code is not None
        return self._rpc.code

    async def details(self) -> str:
        """What was said about its end."""
        await self._end()
        return self._rpc.details

    async def wait_for_connection(self) -> None:
        """Returns at once: there is no connection."""

    async def _end(self) -> None:
        while self._rpc.code is None:
            await self._rpc.changed()

    def _read(self, message: bytes) -> Any:
        return self._deserialize(message) if self._deserialize else message

    def _raise_for_status(self) -> None:
        rpc = self._rpc
        if rpc.cancelled_by_caller:
            raise asyncio.CancelledError
        if rpc.code is not None and rpc.code is not grpc.StatusCode.OK:
            initial, trailing = Metadata.from_tuple(tuple(rpc.initial or ())), Metadata.from_tuple(tuple(rpc.trailing))
            raise AioRpcError(rpc.code, initial, trailing, details=rpc.details)


class UnaryUnaryCall(Call, grpc.aio.UnaryUnaryCall[Any, Any]):
    """A call with one reply."""

    _reply: Any = None

    def __await__(self) -> Generator[Any, None, Any]:
        """Waits for the reply."""
        try:
            message = yield from self._rpc.receive().__await__()
        except asyncio.CancelledError:
            self.cancel()
            raise
        if message is not None:
            self._reply = self._read(message)
        else:
            self._raise_for_status()
        return self._reply


class UnaryStreamCall(Call, grpc.aio.UnaryStreamCall[Any, Any]):
    """A call with a stream of replies."""

    async def read(self) -> Any:
        """The next reply; EOF after the last one."""
        try:
            message = await self._rpc.receive()
        except asyncio.CancelledError:
            self.cancel()
            raise
        if message is None:
            self._raise_for_status()
            return EOF
        return self._read(message)

    async def __aiter__(self) -> AsyncIterator[Any]:
        """All replies that are to come."""
        while (reply := await self.read()) is not EOF:
            yield reply
