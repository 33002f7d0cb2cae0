"""The watchers of a process, between a change and who is told of it."""

import asyncio
import random
import uuid
from typing import Any

import pytest

from mesh.locale import Locale
from mesh.redis import open_redis
from scan_svc.progress.encoder import SnapshotEncoder
from scan_svc.progress.snapshots import Snapshot, Snapshots
from scan_svc.progress.watchers import EventKind, Watchers, WatchLimits
from scan_svc.scans import Scan, State, Step
from tests.integration.scan.sample_scans import a_scan


class Truth:
    """What readers find, and how often they look."""

    def __init__(self, scan: Scan) -> None:
        self.scan = scan
        self.reads = 0
        self.between: list[Any] = []

    async def read(self, scan_id: str) -> Snapshot:
        self.reads += 1
        if self.between:
            self.between.pop(0)()
        return self.shown()

    def shown(self) -> Snapshot:
        scan = self.scan
        body = SnapshotEncoder()(scan)
        return Snapshot(scan.scan_id, scan.user_id, scan.version, scan.state, Step.FETCH, Locale.KO, body, 0.0, 0.0)


async def everybodys(scan: Snapshot, user_id: str, *, any_kind: bool = False) -> Snapshot:
    """For tests in which it doesn't matter whose it is."""
    return scan


@pytest.mark.parametrize("moment", ["before the read", "after the read", "after the snapshot"])
async def test_a_change_between_any_two_steps_of_a_watch_is_seen(moment: str) -> None:
    """Told first, then read, then shown: whatever comes between is either in what is read or told after it."""
    truth = Truth(a_scan())
    watchers = Watchers(truth.read, everybodys, WatchLimits(10, 10, 60.0))

    def change() -> None:
        truth.scan = a_scan(2, scan_id=truth.scan.scan_id, state=State.SUCCEEDED)
        watchers.changed((truth.scan.scan_id,))

    async def late_read(scan_id: str) -> Snapshot:
        shown = truth.shown()  # what was true before the change
        change()
        watchers._read = truth.read
        return shown

    if moment == "before the read":
        truth.between = [change]
    elif moment == "after the read":
        watchers._read = late_read
    events = watchers.watch(truth.scan.scan_id, "user", 0)
    first = await anext(events)
    if moment == "after the snapshot":
        change()
    kinds = [first.kind, *[event.kind async for event in events]]
    assert kinds in ([EventKind.TERMINAL], [EventKind.SNAPSHOT, EventKind.TERMINAL])
    assert watchers.count == 0


async def test_a_long_poll_that_comes_while_the_server_leaves_answers_at_once() -> None:
    """It would hold up the exit for all of its time."""
    truth = Truth(a_scan())
    watchers = Watchers(truth.read, everybodys, WatchLimits(10, 10, 60.0))
    watchers.drain()
    async with asyncio.timeout(5):
        assert (await watchers.newer(truth.scan.scan_id, "user", truth.scan.version, 60.0)).version == 1


async def test_many_watchers_of_one_scan_are_one_read_for_each_change() -> None:
    """The stores must not notice how many watch."""
    truth = Truth(a_scan())
    watchers = Watchers(truth.read, everybodys, WatchLimits(1000, 1000, 60.0))
    watches = [watchers.watch(truth.scan.scan_id, "user", 0) for _ in range(500)]
    for watch in watches:
        await anext(watch)
    truth.reads = 0
    truth.scan = a_scan(2, scan_id=truth.scan.scan_id)
    watchers.changed((truth.scan.scan_id,))
    assert {(await anext(watch)).kind for watch in watches} == {EventKind.UPDATE}
    assert truth.reads == 1
    for watch in watches:
        await watch.aclose()
    assert watchers.count == 0


@pytest.mark.redis_shapes
async def test_shuffled_updates_never_regress(redis_url: str) -> None:
    """Whoever publishes late, or twice, or in whatever batch: what is shown only moves on."""
    async with open_redis(redis_url) as redis, open_redis(redis_url) as other:
        writers = [Snapshots(redis, SnapshotEncoder()), Snapshots(other, SnapshotEncoder())]
        scan_id = str(uuid.uuid4())
        versions = list(range(1, 200)) * 2
        random.Random(4).shuffle(versions)
        seen, highest = [], 0
        for version in versions:
            await random.Random(version).choice(writers).publish(a_scan(version, scan_id=scan_id))
            highest = max(highest, version)
            shown = await Snapshots(other, SnapshotEncoder()).read(scan_id)
            assert shown
            assert shown.version == highest
            seen.append(shown.version)
        assert seen == sorted(seen)
