"""Reading a stream on while its consumer works."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import aclosing

import httpx2
import pytest

from mesh.models.stream_reader import StreamReader


class _Body(httpx2.AsyncByteStream):
    """Gives what is put into it; None is the end.

    Attributes:
        taken: How many pieces were read.
        closed: Whether it was closed.
    """

    def __init__(self) -> None:
        self.pieces: asyncio.Queue[bytes | None] = asyncio.Queue()
        self.taken = 0
        self.closed = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while (piece := await self.pieces.get()) is not None:
            self.taken += 1
            yield piece

    async def aclose(self) -> None:
        self.closed = True

    def reader(self, silence: float = 5.0, seconds: float = 5.0) -> StreamReader:
        return StreamReader(httpx2.Response(200, stream=self), silence, seconds)


def _filled(*pieces: bytes | None) -> _Body:
    body = _Body()
    for piece in pieces:
        body.pieces.put_nowait(piece)
    return body


async def test_what_comes_in_a_pause_is_one_piece_and_the_end_does_not_wait() -> None:
    """The first piece goes out at once."""
    body = _filled(b"a")
    async with asyncio.timeout(5), aclosing(body.reader(60, 60).pieces(pause=60)) as pieces:
        assert await anext(pieces) == b"a"
        for piece in (b"b", b"c", None):
            body.pieces.put_nowait(piece)
        assert [piece async for piece in pieces] == [b"bc"]
    assert body.closed


@pytest.mark.parametrize(("silence", "seconds"), [(0.01, 60), (60, 0.01)])
async def test_silence_and_the_whole_are_limited(silence: float, seconds: float) -> None:
    """What came before is handed out."""
    body = _filled(b"a")
    async with aclosing(body.reader(silence, seconds).pieces()) as pieces:
        assert await anext(pieces) == b"a"
        with pytest.raises(TimeoutError):
            await anext(pieces)
    assert body.closed


async def test_a_consumer_that_is_slow_holds_up_the_provider() -> None:
    """Little is kept in memory, and the wait for the consumer is no silence of the provider's."""
    piece = bytes(100 << 10)
    body = _filled(*[piece] * 9, None)
    async with aclosing(body.reader(silence=0.05).pieces()) as pieces:
        size = len(await anext(pieces))
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(asyncio.Event().wait(), 0.1)  # longer than the provider may be silent
        assert body.taken < 8
        async for more in pieces:
            size += len(more)
    assert size == 9 * len(piece)
