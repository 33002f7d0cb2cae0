"""A TCP line to a server that can be cut and mended."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Line:
    """Carries connections to a server while it is up.

    Args:
        host: Where the server is.
        port: Its port.
        up: Whether it carries from the start.
    """

    def __init__(self, host: str, port: int, *, up: bool = True) -> None:
        self._target = (host, port)
        self._writers: set[asyncio.StreamWriter] = set()
        self._carrying: set[asyncio.Task[None]] = set()
        self.up = up

    def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carries one connection until either side ends it."""
        carrying = asyncio.create_task(self._carry(reader, writer))
        self._carrying.add(carrying)
        carrying.add_done_callback(self._carrying.discard)

    def cut(self) -> None:
        """Ends every connection and refuses new ones."""
        self.up = False
        for writer in self._writers:
            writer.close()
        self._writers.clear()

    async def ended(self) -> None:
        """Returns when nothing is carried any more, and every socket is closed."""
        await asyncio.gather(*self._carrying)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers = [writer]
        with contextlib.suppress(ConnectionError):  # nobody is there
            there_reader, there_writer = await asyncio.open_connection(*self._target)
            writers.append(there_writer)
        if self.up and len(writers) > 1:
            self._writers.update(writers)
            await asyncio.gather(_copy(reader, there_writer), _copy(there_reader, writer))
        for end in writers:
            end.close()
            with contextlib.suppress(ConnectionError):
                await end.wait_closed()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
    writer.close()


@asynccontextmanager
async def line_to(host: str, port: int, *, up: bool = True) -> AsyncIterator[tuple[Line, int]]:
    """A line, and the port at which it begins."""
    line = Line(host, port, up=up)
    async with await asyncio.start_server(line.carry, "127.0.0.1", 0) as server:
        yield line, server.sockets[0].getsockname()[1]
        line.cut()
        await line.ended()
