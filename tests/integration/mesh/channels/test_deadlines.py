"""Deadlines: the same over both channels, by wire and within a process."""

from collections.abc import AsyncGenerator
from typing import Any

import pytest

from eco2.scan.v1 import scan_service_pb2 as pb
from tests.integration.mesh.channels.scripted import (
    REQUEST,
    WATCH,
    Code,
    Connect,
    Scripted,
    event,
    failing,
    never,
    until,
)


async def test_the_deadline_is_the_handlers_too_and_ends_both(connect: Connect) -> None:
    """Nobody works for a caller that has given up."""
    remaining = []

    async def get(_: Any, context: Any) -> None:
        remaining.append(context.time_remaining())
        await never()

    servicer = Scripted(get)
    async with connect(servicer) as client:
        error = await failing(client.stub.GetScan(REQUEST, timeout=0.2))
        await servicer.cancelled.wait()
        await until(client.span_codes)
        assert client.span_codes() == ["DEADLINE_EXCEEDED"]
    assert error.code() is Code.DEADLINE_EXCEEDED
    assert 0 < remaining[0] <= 0.2


async def test_without_a_deadline_there_is_none(connect: Connect) -> None:
    """None, not zero."""
    remaining = []

    async def get(_: Any, context: Any) -> None:
        remaining.append(context.time_remaining())

    async with connect(Scripted(get)) as client:
        await client.stub.GetScan(REQUEST)
    assert remaining == [None]


@pytest.mark.parametrize("timeout", [0.0, -1.0])
async def test_a_deadline_that_is_over_is_exceeded_at_once(connect: Connect, timeout: float) -> None:
    """What remained of the caller's own may be nothing."""
    async with connect(Scripted(never)) as client:
        assert (await failing(client.stub.GetScan(REQUEST, timeout=timeout))).code() is Code.DEADLINE_EXCEEDED


async def test_a_stream_ends_by_its_deadline(connect: Connect) -> None:
    """Also one that has said something."""

    async def watch() -> AsyncGenerator[pb.WatchScanResponse, None]:
        yield event()
        await never()

    servicer = Scripted(watch=watch)
    async with connect(servicer) as client:
        call = client.stub.WatchScan(WATCH, timeout=0.3)
        assert await call.read() == event()
        error = await failing(call.read())
        await servicer.cancelled.wait()
        await until(client.span_codes)
        assert client.span_codes() == ["DEADLINE_EXCEEDED"]
    assert error.code() is Code.DEADLINE_EXCEEDED
