"""A service that isn't SERVING, or ends: the same over both channels, by wire and within a process."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from typing import Any

from eco2.scan.v1 import scan_service_pb2 as pb
from eco2.scan.v1.scan_pb2 import Scan
from mesh.errors import Unavailable
from mesh.reasons import Reason
from tests.integration.mesh.channels.scripted import (
    REQUEST,
    WATCH,
    Code,
    Connect,
    Scripted,
    awaited,
    event,
    failing,
    never,
)


class Store:
    """A dependency that can go away."""

    def __init__(self) -> None:
        self.away = True
        self.asked = asyncio.Event()

    async def probe(self) -> None:
        self.asked.set()
        if self.away:
            raise ConnectionError


async def test_a_service_that_isnt_serving_is_unavailable_or_waited_for(connect: Connect) -> None:
    """As its caller asked: at once, or as long as the deadline allows."""
    store = Store()
    async with connect(Scripted(), dependencies={"store": store.probe}) as client:
        await store.asked.wait()
        assert (await failing(client.stub.GetScan(REQUEST, timeout=5))).code() is Code.UNAVAILABLE
        late = await failing(client.stub.GetScan(REQUEST, timeout=0.1, wait_for_ready=True))
        assert late.code() is Code.DEADLINE_EXCEEDED
        waiting = client.stub.GetScan(REQUEST, timeout=20, wait_for_ready=True)
        store.away = False
        assert await waiting == Scan()
        assert await client.stub.GetScan(REQUEST) == Scan()


async def test_idempotent_methods_are_tried_again_while_unavailable(connect: Connect) -> None:
    """A moment without a database isn't the caller's matter; three tries, then it is."""
    outcomes = [True, True, False, True, True, True, False]

    async def get(*_: Any) -> None:
        if outcomes.pop(0):
            raise Unavailable(Reason.UNAVAILABLE, peer="postgres")

    servicer = Scripted(get)
    async with connect(servicer, retried=["GetScan"]) as client:
        assert await client.stub.GetScan(REQUEST) == Scan()
        assert (await failing(client.stub.GetScan(REQUEST))).code() is Code.UNAVAILABLE
    assert servicer.calls == 6


async def test_other_methods_are_tried_once(connect: Connect) -> None:
    """Who isn't idempotent decides alone."""

    async def get(*_: Any) -> None:
        raise Unavailable(Reason.UNAVAILABLE, peer="postgres")

    servicer = Scripted(get)
    async with connect(servicer) as client:
        assert (await failing(client.stub.GetScan(REQUEST))).code() is Code.UNAVAILABLE
    assert servicer.calls == 1


async def test_a_server_that_leaves_tells_watchers_and_lets_calls_end(connect: Connect) -> None:
    """In the order of `serving`."""
    go_on = asyncio.Event()

    async def watch() -> AsyncGenerator[pb.WatchScanResponse, None]:
        yield event()
        await servicer.drained.wait()
        yield event(1)
        go_on.set()

    async def get(*_: Any) -> Scan:
        await go_on.wait()
        return Scan(scan_id="late")

    servicer = Scripted(get, watch)
    async with AsyncExitStack() as left:
        async with connect(servicer, outlived_by=left) as client:
            call, stream = client.stub.GetScan(REQUEST), client.stub.WatchScan(WATCH)
            await stream.read()
            await servicer.begun.wait()
            ends = [asyncio.create_task(one) for one in (awaited(call), stream.read())]
        assert await asyncio.gather(*ends) == [Scan(scan_id="late"), event(1)]


async def test_a_server_cuts_what_outlasts_the_grace(connect: Connect) -> None:
    """A pod is given so long and no longer; the handler cleans up all the same."""
    servicer = Scripted(never)
    async with AsyncExitStack() as left:
        async with connect(servicer, grace=0.05, outlived_by=left) as client:
            call = asyncio.create_task(awaited(client.stub.GetScan(REQUEST)))
            await servicer.begun.wait()
        assert servicer.cancelled.is_set()
        assert (await failing(call)).code() is Code.UNAVAILABLE


async def test_a_server_that_has_left_is_unavailable(connect: Connect) -> None:
    """A refused connection, or nobody behind the endpoint."""
    async with AsyncExitStack() as left:
        async with connect(Scripted(), outlived_by=left) as client:
            await client.stub.GetScan(REQUEST)
        assert (await failing(client.stub.GetScan(REQUEST, timeout=5))).code() is Code.UNAVAILABLE
        late = await failing(client.stub.GetScan(REQUEST, timeout=0.1, wait_for_ready=True))
        assert late.code() is Code.DEADLINE_EXCEEDED
