"""People who scan one photo after the other meanwhile, and what they wait."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

from bench.mesh.http1 import Connection
from bench.mesh.load import Refused
from bench.mesh.scenarios.overhead import watched
from bench.mesh.stack import Stack
from bench.mesh.users import Phone

_EVERY = 2.0  # seconds from a person's scan to their next one, unless it takes longer


@dataclass(frozen=True, slots=True)
class Waited:
    """What somebody waited.

    Attributes:
        began: When, by the monotonic clock.
        seconds: Until their scan had ended.
    """

    began: float
    seconds: float


class People:
    """They.

    Args:
        stack: Where they scan.
        addresses: Photos that nobody has scanned yet.
    """

    def __init__(self, stack: Stack, addresses: Sequence[str]) -> None:
        self._stack = stack
        self._addresses = iter(addresses)
        self.waited: list[Waited] = []
        self.failed = 0

    async def scan(self, number: int, first: float) -> None:
        """One person's scans, the first of them in so many seconds, until they are cancelled or no photo is left."""
        await asyncio.sleep(first)
        phone = None
        for address in self._addresses:
            began = time.monotonic()
            try:
                phone = phone or await self._phone(number)
                self.waited.append(Waited(began, await watched(phone, address)))
            except (Refused, OSError):  # a process was killed: the next scan has a connection of its own
                self.failed += 1
                if phone:
                    phone.close()
                phone = None
            await asyncio.sleep(max(0.0, _EVERY - (time.monotonic() - began)))

    def between(self, start: float, end: float) -> list[float]:
        """What those waited who began and ended in so long a time."""
        return [one.seconds for one in self.waited if start <= one.began and one.began + one.seconds <= end]

    async def _phone(self, number: int) -> Phone:
        token = self._stack.tokens.issue(f"person-{number}")
        return Phone(await Connection.open(self._stack.rest), urlsplit(self._stack.rest).netloc, token)


@asynccontextmanager
async def scanning(people: People, count: int) -> AsyncIterator[None]:
    """So many of them, until the block is left."""
    tasks = [asyncio.create_task(people.scan(number, number * _EVERY / count)) for number in range(count)]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
