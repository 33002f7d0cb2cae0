"""The suite's stores, which listen on loopback, at an address that pods reach."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial


@asynccontextmanager
async def forwarded(host: str, *ports: int) -> AsyncIterator[None]:
    """Passes connections to `host` on to the same ports of loopback, while the block runs."""
    servers = [await asyncio.start_server(partial(_pass, port), host, port) for port in ports]
    try:
        yield
    finally:
        for server in servers:
            server.close()


async def _pass(port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    there, back = await asyncio.open_connection("127.0.0.1", port)
    await asyncio.gather(_copy(reader, back), _copy(there, writer))


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while piece := await reader.read(1 << 16):
            writer.write(piece)
            await writer.drain()
    writer.close()
