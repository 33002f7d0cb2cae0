"""The worker processes of the benchmark, as their parent sees them."""

import asyncio
import json
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict

import psutil

from bench.machine import cpu_seconds
from bench.queue.worker import Orders


class Hand:
    """One worker process.

    Attributes:
        done: Scans it has finished.
        waiting: Scans that wait in it.
        starts: When the stages of each scan started.
    """

    def __init__(self, process: Process, changed: asyncio.Event) -> None:
        self._process = process
        self._changed = changed
        self.done = 0
        self.waiting = 0
        self.starts: list[dict[str, float]] = []
        self.system = psutil.Process(process.pid)

    def say(self, word: str) -> None:
        """Gives it an order."""
        assert self._process.stdin is not None
        self._process.stdin.write(word.encode() + b"\n")

    async def ready(self) -> None:
        """Waits until it has imported and connected."""
        assert self._process.stdout is not None
        while (await self._process.stdout.readline()).strip() != b"ready":
            if self._process.stdout.at_eof():
                raise RuntimeError(f"worker {self._process.pid} ended before it was ready")

    async def listen(self) -> None:
        """Takes down what it tells, until it ends."""
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            word, _, rest = line.decode().partition(" ")
            if word == "starts":
                self.starts.append(json.loads(rest))
            elif word == "done":
                self.done = int(rest)
            elif word == "waiting":
                self.waiting = int(rest)
            else:
                sys.stderr.write(line.decode())
            self._changed.set()

    async def leave(self) -> None:
        """Lets it end."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        await self._process.wait()


class WorkerPool:
    """Several of them."""

    def __init__(self, hands: list[Hand], changed: asyncio.Event) -> None:
        self.hands = hands
        self._changed = changed

    def say(self, word: str) -> None:
        """Gives all of them an order."""
        for hand in self.hands:
            hand.say(word)

    async def until_done(self, count: int) -> None:
        """Waits until they have finished so many scans between them."""
        while sum(hand.done for hand in self.hands) < count:
            await self._change()

    async def until_waiting(self, count: int) -> None:
        """Waits until so many scans wait in them."""
        while sum(hand.waiting for hand in self.hands) < count:
            await self._change()

    def cpu_seconds(self) -> float:
        """What they have used so far."""
        return sum(cpu_seconds(hand.system) for hand in self.hands)

    async def _change(self) -> None:
        self._changed.clear()
        async with asyncio.timeout(60):
            await self._changed.wait()


@asynccontextmanager
async def worker_pool(count: int, orders: Orders) -> AsyncIterator[WorkerPool]:
    """Worker processes that are ready, and wait for `go`."""
    changed = asyncio.Event()
    hands = []
    for _ in range(count):
        command = (sys.executable, "-m", "bench.queue.worker", json.dumps(asdict(orders)))
        hands.append(Hand(await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE), changed))
    await asyncio.gather(*(hand.ready() for hand in hands))
    async with asyncio.TaskGroup() as group:
        for hand in hands:
            group.create_task(hand.listen())
        try:
            yield WorkerPool(hands, changed)
        finally:
            await asyncio.gather(*(hand.leave() for hand in hands))
