"""The suite's stores, which listen on loopback, at an address that pods reach."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

from mesh.concurrency.tasks import end


@asynccontextmanager
async def forwarded(host: str, *ports: int) -> AsyncIterator[None]:
    """Passes connections to `host` on to the same ports of loopback, while the block runs; none stays open."""
    connections = set[asyncio.Task[Any]]()

    def listening(port: int) -> Any:
        async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task
            connections.add(task)
            # Cancelled at the end: StreamReaderProtocol would ask this task for an exception, which it then hasn't.
            with suppress(asyncio.CancelledError):
                await _pass(port, reader, writer)
            connections.discard(task)

        return asyncio.start_server(connected, host, port)

    servers = [await listening(port) for port in ports]
    try:
        yield
    finally:
        for server in servers:
            server.close()
        await end(*connections)


async def _pass(port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    there, back = await asyncio.open_connection("127.0.0.1", port)
    try:
        await asyncio.gather(_copy(reader, back), _copy(there, writer))
    finally:
        for end_of_it in (back, writer):
            end_of_it.transport.abort()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while piece := await reader.read(1 << 16):
            writer.write(piece)
            await writer.drain()
    writer.close()
