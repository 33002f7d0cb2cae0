"""A Valkey of a test's own, to freeze, kill and empty."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import redis.asyncio as redis

from local.stack.ports import HOST
from local.stack.stores.valkey import binary
from tests.support.ports import free_port


class OwnRedis:
    """One server on one port; it comes back empty after it was killed.

    Args:
        folder: Its working directory.

    Attributes:
        port: Where it listens.
        url: The address services connect to.
    """

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self._folder = folder
        self._process: asyncio.subprocess.Process | None = None
        self.url = f"redis://{HOST}:{self.port}/0"

    async def start(self) -> None:
        """Starts it, and waits until it answers."""
        self._process = await asyncio.create_subprocess_exec(
            str(binary()), "--bind", HOST, "--port", str(self.port), "--save", "", "--dir", str(self._folder),
            stdout=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        async with asyncio.timeout(10), self.client() as client:
            while True:
                try:
                    await client.ping()
                except redis.ConnectionError:
                    await asyncio.sleep(0.01)
                else:
                    return

    async def kill(self) -> None:
        """Ends it at once, with all it holds."""
        if self._process and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()

    def freeze(self) -> None:
        """It keeps its connections and takes new ones, but says nothing."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """It goes on as if nothing had been."""
        self._signal(signal.SIGCONT)

    def client(self) -> redis.Redis:
        """A client of its own."""
        return redis.from_url(self.url)

    def _signal(self, signum: signal.Signals) -> None:
        assert self._process
        os.kill(self._process.pid, signum)


@asynccontextmanager
async def own_redis(folder: Path) -> AsyncIterator[OwnRedis]:
    """A server that is gone when the block is left, frozen or not."""
    server = OwnRedis(folder)
    await server.start()
    try:
        yield server
    finally:
        await server.kill()
