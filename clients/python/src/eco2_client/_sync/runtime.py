"""What the two worlds do differently; its twin in `_async` is written by hand, too."""

import threading
import time
from collections.abc import Callable, Generator
from contextlib import closing
from pathlib import Path
from typing import ParamSpec, TypeAlias, TypeVar

import httpx2

__all__ = ["Clock", "HttpClient", "Lock", "Stream", "TokenFunction", "asked", "closing", "in_thread", "pieces"]

T = TypeVar("T")
P = ParamSpec("P")

_PIECE_BYTES = 1 << 20

HttpClient = httpx2.Client
Lock = threading.Lock
Stream: TypeAlias = Generator[T, None, None]
TokenFunction: TypeAlias = Callable[[], str]


class Clock:
    """Time as it is; tests have one of their own."""

    def now(self) -> float:
        """Seconds, monotonic."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Waits."""
        time.sleep(seconds)


def in_thread(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Does what blocks: here it may."""
    return work(*args, **kwargs)


def asked(function: TokenFunction) -> str:
    """What a function of the caller's gives."""
    return function()


def pieces(path: Path) -> Stream[bytes]:
    """A file's content, read as it is needed."""
    with path.open("rb") as file:
        while piece := file.read(_PIECE_BYTES):
            yield piece
