"""Valkey of a test's own as Sentinels name it, or as a cluster, each server to be killed and started by itself."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path

from redis.asyncio import Redis

from local.stack.ports import HOST, Ports
from local.stack.stores import cluster, sentinel
from local.stack.supervisor import Program

_PASSWORD = "p4ss"
_START_SECONDS = 60.0
_POLL_SECONDS = 0.05


class RedisServers:
    """Servers that nobody starts again when they end.

    Args:
        url: The address services connect to.
        programs: The servers, and whatever watches over them.
        ports: Of the servers, in the same order.
    """

    def __init__(self, url: str, programs: Sequence[Program], ports: Sequence[int]) -> None:
        self.url = url
        self.ports = ports
        self._programs = {program.name: program for program in programs}
        self._processes: dict[str, asyncio.subprocess.Process] = {}

    async def start(self, *names: str) -> None:
        """Starts some, or all; returns when they are ready."""
        started = names or tuple(self._programs)
        async with asyncio.timeout(_START_SECONDS):
            await asyncio.gather(*(self._spawn(name) for name in started))
            await asyncio.gather(*(self._ready(name) for name in started))

    async def kill(self, name: str) -> None:
        """Ends one at once, with all it holds."""
        process = self._processes.pop(name)
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()

    async def aclose(self) -> None:
        """Ends all."""
        await asyncio.gather(*(self.kill(name) for name in list(self._processes)))

    def client(self, place: int) -> Redis:
        """A client of one server."""
        return Redis(host=HOST, port=self.ports[place], password=_PASSWORD)

    async def primaries(self) -> list[int]:
        """The places of servers that are primaries at the moment."""
        found = []
        for place in range(len(self.ports)):
            async with self.client(place) as client:
                with suppress(OSError, TimeoutError):
                    if (await client.info("replication"))["role"] == "master":
                        found.append(place)
        return found

    async def _spawn(self, name: str) -> None:
        program = self._programs[name]
        # A Sentinel's preparation waits for the servers.
        await program.prepare()
        self._processes[name] = await asyncio.create_subprocess_exec(
            *program.command, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL
        )

    async def _ready(self, name: str) -> None:
        while True:
            with suppress(OSError):
                await self._programs[name].ready()
                return
            await asyncio.sleep(_POLL_SECONDS)


@asynccontextmanager
async def redis_servers(folder: Path, shape: str) -> AsyncIterator[RedisServers]:
    """The servers of a shape, ready; gone when the block is left.

    Args:
        folder: Where their files go.
        shape: "sentinel" or "cluster".
    """
    ports = Ports(folder / "ports.json")
    async with AsyncExitStack() as stack:
        if shape == "cluster":
            taken = [ports.take(f"valkey-{number}", twin=cluster.BUS) for number in range(cluster.SERVERS)]
            programs = cluster.programs(folder, taken, _PASSWORD)
            servers = RedisServers(cluster.url(taken, _PASSWORD), programs, taken)
        else:
            taken = [ports.take(f"valkey-{number}") for number in range(sentinel.SERVERS)]
            watching = [ports.take(f"sentinel-{number}") for number in range(sentinel.SENTINELS)]
            programs = sentinel.programs(folder, taken, watching, _PASSWORD)
            servers = RedisServers(sentinel.url(watching, _PASSWORD), programs, taken)
        stack.push_async_callback(servers.aclose)
        await servers.start()
        yield servers
