"""Room for a stage: who waits for it, for how long, and what is looked at before the stage begins."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from msgspec.structs import replace as replace_scan

from scan_svc.pipeline.stages import DEFAULTS, VISION, Pipeline, Stage
from scan_svc.scans import Photo, Scan, State
from tests.support.scan.fake_peers import FakePeers

STAGE = replace(DEFAULTS[VISION], concurrency=1)
SCAN = Scan(
    scan_id="1", user_id="user", state=State.RUNNING, version=1, photo=Photo("https://example.com/1.jpg"),
    created_at=datetime.now(UTC),
)  # fmt: skip


class Busy:
    """A pipeline whose only place at the first stage is taken until it is told to end."""

    def __init__(self, stage: Stage = STAGE) -> None:
        self._stage = stage
        self.at_work, self.end = asyncio.Event(), asyncio.Event()
        self.peers = FakePeers()
        self.peers.before[VISION] = self._hold
        self.begun = 0
        self._pipeline = Pipeline({**DEFAULTS, VISION: stage}, self.peers, self.peers, self.peers)

    async def perform(self, deadline: float, user_id: str = "user") -> None:
        """Runs the stage."""
        scan = replace_scan(SCAN, user_id=user_id)
        await self._pipeline.perform(self._stage, scan, self._report, deadline, self._begin)

    async def _hold(self) -> None:
        self.at_work.set()
        await self.end.wait()

    async def _report(self, scan: Scan) -> None:
        pass

    async def _begin(self) -> None:
        self.begun += 1


@asynccontextmanager
async def busy() -> AsyncIterator[Busy]:
    """A pipeline with its one place taken."""
    busy = Busy()
    async with asyncio.TaskGroup() as group:
        group.create_task(busy.perform(300.0))
        await busy.at_work.wait()
        yield busy
        busy.end.set()


async def test_waiting_for_room_ends_with_the_scans_time() -> None:
    """A scan that can't be finished in its time any more must say so at once, and not when others are done."""
    async with busy() as pipeline:
        late = asyncio.create_task(pipeline.perform(0.05))
        await asyncio.wait((late,), timeout=5.0)
        assert late.done()
        with pytest.raises(TimeoutError):
            late.result()


async def test_a_stage_begins_when_there_is_room() -> None:
    """The lease is looked at then, and not before a wait in which it may be lost."""
    async with busy() as pipeline:
        waiting = asyncio.create_task(pipeline.perform(300.0))
        await asyncio.sleep(0)
        assert pipeline.begun == 1
        pipeline.end.set()
        await waiting
        assert pipeline.begun == 2


async def test_one_users_scans_leave_room_at_a_stage() -> None:
    """A user alone has three quarters of it, and a neighbour's scan begins at once."""
    pipeline = Busy(replace(STAGE, concurrency=8))
    async with asyncio.TaskGroup() as group:
        for _ in range(20):
            group.create_task(pipeline.perform(300.0))
        await _settled()
        assert pipeline.begun == 6
        group.create_task(pipeline.perform(300.0, "neighbour"))
        await _settled()
        assert pipeline.begun == 7
        pipeline.end.set()


async def test_users_take_turns_at_a_stage() -> None:
    """Twenty scans of one user that wait for the only place are no reason to be the twenty-first."""
    pipeline, order = Busy(), list[str]()

    async def perform(user_id: str) -> None:
        await pipeline.perform(300.0, user_id)
        order.append(user_id)

    async with asyncio.TaskGroup() as group:
        for user_id in [*["many"] * 20, "neighbour"]:
            group.create_task(perform(user_id))
        await _settled()
        pipeline.end.set()
    assert order.index("neighbour") <= 1


async def _settled() -> None:
    """Until every task that can go on has."""
    for _ in range(5):
        await asyncio.sleep(0)
