"""Reads a streamed response on while its consumer works, within time limits."""

import asyncio
from collections.abc import AsyncGenerator
from typing import cast

import httpx2

_MOST_UNREAD = 256 << 10  # bytes; then the provider has to wait until the consumer has taken some


class StreamReader:
    """The body of one response, which is closed with its pieces.

    Args:
        response: Where it begins.
        silence: Seconds without a byte that are borne.
        seconds: For all of it.
    """

    def __init__(self, response: httpx2.Response, silence: float, seconds: float) -> None:
        self._response = response
        self._silence = silence
        self._until = asyncio.get_running_loop().time() + seconds
        self._unread: list[bytes] = []
        self._size = 0
        self._arrived = asyncio.Event()
        self._taken = asyncio.Event()

    async def pieces(self, pause: float = 0.0) -> AsyncGenerator[bytes, None]:
        """The bytes as they come. Wrap it in `aclosing`: leaving early aborts the response.

        Args:
            pause: Seconds in which what comes collects, between two pieces; its end doesn't wait.

        Raises:
            TimeoutError: It was silent or took too long.
            httpx2.TransportError: The provider broke off.
        """
        reading = asyncio.create_task(self._read())
        reading.add_done_callback(lambda _: self._arrived.set())
        try:
            while True:
                await self._arrived.wait()
                self._arrived.clear()
                ended = reading.done()
                if piece := self._take():
                    yield piece
                if ended:
                    reading.result()
                    return
                if pause:
                    await asyncio.wait((reading,), timeout=pause)
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
            await self._response.aclose()

    async def _read(self) -> None:
        """Collects pieces up to the end, in a task of its own: a timer around a consumer would cancel the consumer."""
        loop = asyncio.get_running_loop()
        async with asyncio.timeout_at(min(loop.time() + self._silence, self._until)) as limit:
            async for piece in cast(httpx2.AsyncByteStream, self._response.stream):
                self._unread.append(piece)
                self._size += len(piece)
                self._arrived.set()
                if self._size > _MOST_UNREAD:
                    self._taken.clear()
                    limit.reschedule(self._until)
                    await self._taken.wait()
                limit.reschedule(min(loop.time() + self._silence, self._until))

    def _take(self) -> bytes:
        """What has come since."""
        data = b"".join(self._unread)
        self._unread.clear()
        self._size = 0
        self._taken.set()
        return data
