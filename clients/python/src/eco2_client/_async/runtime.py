"""What the two worlds do differently; its twin in `_sync` is written by hand, too."""

import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing as closing
from pathlib import Path
from typing import ParamSpec, TypeAlias, TypeVar

import anyio
import httpx2

__all__ = ["Clock", "HttpClient", "Lock", "Stream", "TokenFunction", "asked", "closing", "in_thread", "pieces"]

T = TypeVar("T")
P = ParamSpec("P")

_PIECE_BYTES = 1 << 20

HttpClient = httpx2.AsyncClient
Lock = anyio.Lock
Stream: TypeAlias = AsyncGenerator[T, None]
TokenFunction: TypeAlias = Callable[[], str | Awaitable[str]]


class Clock:
    """Time as it is; tests have one of their own."""

    def now(self) -> float:
        """Seconds, monotonic."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Waits."""
        await anyio.sleep(seconds)


async def in_thread(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Does what blocks, without keeping others waiting."""
    return await anyio.to_thread.run_sync(lambda: work(*args, **kwargs))


async def asked(function: TokenFunction) -> str:
    """What a function of the caller's gives, at once or later."""
    given = function()
    return given if isinstance(given, str) else await given


async def pieces(path: Path) -> Stream[bytes]:
    """A file's content, read as it is needed."""
    with await in_thread(path.open, "rb") as file:
        while piece := await in_thread(file.read, _PIECE_BYTES):
            yield piece
