"""Who is blamed for silence."""

import asyncio
import socket
import time

import pytest

from mesh.concurrency.silence_timeout import silence_timeout


async def test_a_stall_of_ones_own_is_not_the_peers_silence() -> None:
    """What arrived while this process stood still is heard, although the time was up before it could be read."""
    loop = asyncio.get_running_loop()
    ours, theirs = socket.socketpair()
    ours.setblocking(False)

    def stall() -> None:
        theirs.send(b"x")
        time.sleep(0.2)

    with ours, theirs:
        loop.call_later(0.01, stall)
        async with silence_timeout(0.1):
            assert await loop.sock_recv(ours, 1) == b"x"


async def test_silence_is_a_timeout() -> None:
    """A peer that never answers."""
    with pytest.raises(TimeoutError):
        async with silence_timeout(0.05):
            await asyncio.Event().wait()


async def test_who_is_cancelled_meanwhile_is_not_timed_out() -> None:
    """The caller leaves; that says nothing about the peer."""

    async def wait() -> None:
        async with silence_timeout(60):
            await asyncio.Event().wait()

    task = asyncio.create_task(wait())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
