"""Worker processes that are started again whenever they die, as an orchestrator would."""

import asyncio
import signal
import sys
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import msgspec

from tests.support.scan.worker import Orders

_LEAVE_SECONDS = 15.0


class WorkerPool:
    """The workers.

    Args:
        orders: What they are told.
        log: Gets all they print.
    """

    def __init__(self, orders: Orders, log: Path) -> None:
        self._command = (sys.executable, "-m", "tests.support.scan.worker", msgspec.json.encode(orders).decode())
        self._log = log
        self._alive: dict[int, Process] = {}
        self._frozen: set[int] = set()

    @property
    def awake(self) -> list[int]:
        """Those that run and aren't frozen."""
        return [pid for pid in self._alive if pid not in self._frozen]

    def strike(self, pid: int, signum: signal.Signals) -> None:
        """Sends a signal, unless it has just died by itself."""
        if signum is signal.SIGSTOP:
            self._frozen.add(pid)
        elif signum is signal.SIGCONT:
            self._frozen.discard(pid)
        with suppress(ProcessLookupError):
            if pid in self._alive:
                self._alive[pid].send_signal(signum)

    async def keep_one(self) -> None:
        """Keeps one worker running for ever; when cancelled, lets it leave."""
        while True:
            with self._log.open("ab") as output:
                process = await asyncio.create_subprocess_exec(
                    *self._command, stdin=DEVNULL, stdout=output, stderr=output
                )
            self._alive[process.pid] = process
            try:
                await process.wait()
            finally:
                await self._let_leave(process)
                del self._alive[process.pid]
                self._frozen.discard(process.pid)

    async def _let_leave(self, process: Process) -> None:
        if process.returncode is not None:
            return
        self.strike(process.pid, signal.SIGCONT)
        self.strike(process.pid, signal.SIGTERM)
        try:
            async with asyncio.timeout(_LEAVE_SECONDS):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()
            raise


@asynccontextmanager
async def worker_pool(count: int, orders: Orders, log: Path) -> AsyncIterator[WorkerPool]:
    """So many workers, until the block is left."""
    workers = WorkerPool(orders, log)
    slots = [asyncio.create_task(workers.keep_one()) for _ in range(count)]
    try:
        yield workers
    finally:
        for slot in slots:
            slot.cancel()
        ends = await asyncio.gather(*slots, return_exceptions=True)
    for end in ends:
        if not isinstance(end, asyncio.CancelledError):
            raise RuntimeError("a worker didn't leave when it was told to") from end
