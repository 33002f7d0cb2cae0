"""Cancellation: the same over both channels, by wire and within a process."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import grpc
import pytest

from eco2.scan.v1 import scan_service_pb2 as pb
from mesh.grpc.client import Peer
from tests.integration.mesh.channels.scripted import REQUEST, WATCH, Code, Connect, Scripted, event, never, until


async def test_cancelling_a_call_reaches_its_handler(connect: Connect) -> None:
    """Paid work must end with whoever wanted it."""
    servicer = Scripted(never)
    async with connect(servicer) as client:
        call = client.stub.GetScan(REQUEST)
        await servicer.begun.wait()
        assert call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        assert (call.cancelled(), call.cancel(), await call.code()) == (True, False, Code.CANCELLED)
        await servicer.cancelled.wait()
        await until(client.span_codes)
        assert client.span_codes() == ["CANCELLED"]


async def test_cancelling_the_task_that_waits_reaches_the_handler(connect: Connect) -> None:
    """That is how a worker stops a stage."""
    servicer = Scripted(never)
    async with connect(servicer) as client:
        task = asyncio.create_task(Peer("scan").call(client.stub.GetScan, REQUEST, timeout=30))
        await servicer.begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await servicer.cancelled.wait()


async def test_a_call_that_is_cancelled_at_once_leaves_nothing_at_work(connect: Connect) -> None:
    """Before it had a turn."""
    servicer = Scripted(never)
    async with connect(servicer) as client:
        call = client.stub.GetScan(REQUEST)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
    assert servicer.calls == 0 or servicer.cancelled.is_set()


async def test_leaving_a_stream_early_reaches_its_handler(connect: Connect) -> None:
    """By `Peer`, as services do."""

    async def watch() -> AsyncGenerator[pb.WatchScanResponse, None]:
        yield event()
        await never()

    servicer = Scripted(watch=watch)
    async with connect(servicer) as client:
        async with aclosing(Peer("scan").stream(client.stub.WatchScan, WATCH, timeout=30)) as events:
            async for one in events:
                assert one == event()
                break
        await servicer.cancelled.wait()


async def test_cancelling_a_reader_reaches_the_handler(connect: Connect) -> None:
    """The task of a watcher."""

    async def watch() -> AsyncGenerator[pb.WatchScanResponse, None]:
        yield event()
        await never()

    servicer = Scripted(watch=watch)
    async with connect(servicer) as client:
        call = client.stub.WatchScan(WATCH)
        await call.read()
        begun = asyncio.Event()

        async def read() -> None:
            begun.set()
            await call.read()

        reading = asyncio.create_task(read())
        await begun.wait()
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        await servicer.cancelled.wait()
        assert await call.code() is Code.CANCELLED


async def test_closing_the_channel_cancels_its_calls_and_refuses_more(connect: Connect) -> None:
    """A service that ends doesn't wait for what it has asked."""
    servicer = Scripted(never)
    async with connect(servicer) as client:
        call = client.stub.GetScan(REQUEST)
        await servicer.begun.wait()
        await client.channel.close()
        with pytest.raises((asyncio.CancelledError, grpc.aio.AioRpcError)):
            await call
        assert await call.code() is Code.CANCELLED
        await servicer.cancelled.wait()
        with pytest.raises(grpc.aio.UsageError):
            await client.stub.GetScan(REQUEST)
