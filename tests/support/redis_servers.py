"""Valkey of a test's own as Sentinels name it, or as a cluster, each server to be killed and started by itself."""

import asyncio
import subprocess
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from redis.asyncio import Redis
from redis.exceptions import RedisError

from local.stack.ports import HOST, Ports
from local.stack.stores import cluster, sentinel
from local.stack.supervisor import Program

PASSWORD = "p4ss"
_START_SECONDS = 60.0
_POLL_SECONDS = 0.05


class RedisServers:
    """Servers that nobody starts again when they end. Not bound to an event loop.

    Args:
        url: The address services connect to.
        programs: The servers, and whatever watches over them.
        ports: Of the servers, in the same order.
    """

    def __init__(self, url: str, programs: Sequence[Program], ports: Sequence[int]) -> None:
        self.url = url
        self.ports = ports
        self._programs = {program.name: program for program in programs}
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    async def start(self, *names: str) -> None:
        """Starts some, or all; returns when they are ready."""
        started = names or tuple(self._programs)
        async with asyncio.timeout(_START_SECONDS):
            await asyncio.gather(*(self._spawn(name) for name in started))
            await asyncio.gather(*(self._ready(name) for name in started))

    async def kill(self, name: str) -> None:
        """Ends one at once, with all it holds."""
        process = self._processes.pop(name)
        process.kill()
        await asyncio.to_thread(process.wait)

    async def aclose(self) -> None:
        """Ends all."""
        for name in list(self._processes):
            await self.kill(name)

    def client(self, place: int) -> Redis:
        """A client of one server."""
        return Redis(host=HOST, port=self.ports[place], password=PASSWORD)

    async def primaries(self) -> list[int]:
        """The places of servers that are primaries at the moment."""
        found = []
        for place in range(len(self.ports)):
            async with self.client(place) as client:
                with suppress(RedisError):
                    if (await client.info("replication"))["role"] == "master":
                        found.append(place)
        return found

    async def _spawn(self, name: str) -> None:
        program = self._programs[name]
        # A Sentinel's preparation waits for the servers.
        await program.prepare()
        self._processes[name] = _started(program)

    async def _ready(self, name: str) -> None:
        while True:
            with suppress(OSError):
                await self._programs[name].ready()
                return
            await asyncio.sleep(_POLL_SECONDS)


def _started(program: Program) -> subprocess.Popen[bytes]:
    return subprocess.Popen(program.command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)


def planned(folder: Path, shape: str) -> RedisServers:
    """The servers of a shape, to be started.

    Args:
        folder: Where their files go.
        shape: "sentinel" or "cluster".
    """
    ports = Ports(folder / "ports.json")
    if shape == "cluster":
        taken = [ports.take(f"valkey-{number}", twin=cluster.BUS) for number in range(cluster.SERVERS)]
        return RedisServers(cluster.url(taken, PASSWORD), cluster.programs(folder, taken, PASSWORD), taken)
    taken = [ports.take(f"valkey-{number}") for number in range(sentinel.SERVERS)]
    watching = [ports.take(f"sentinel-{number}") for number in range(sentinel.SENTINELS)]
    programs = sentinel.programs(folder, taken, watching, PASSWORD)
    return RedisServers(sentinel.url(watching, PASSWORD), programs, taken)


@asynccontextmanager
async def redis_servers(folder: Path, shape: str) -> AsyncIterator[RedisServers]:
    """The servers of a shape, ready; gone when the block is left. Arguments as for `planned`."""
    servers = planned(folder, shape)
    try:
        await servers.start()
        yield servers
    finally:
        await servers.aclose()
