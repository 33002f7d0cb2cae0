"""Watching: streams that resume, servers that leave, readers that don't read, limits that are told."""

import asyncio
import json
import random
import uuid
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from typing import Any

import grpc
import pytest

from eco2.scan.v1 import event_stream_service_pb2, event_stream_service_pb2_grpc, scan_pb2
from eco2.scan.v1.scan_service_pb2 import GetScanRequest, WatchScanResponse
from mesh.identity import USER_HEADER
from mesh.locale import Locale
from mesh.reasons import Reason
from mesh.redis import open_redis
from scan_svc.progress.encoder import SnapshotEncoder
from scan_svc.progress.snapshots import Snapshot, Snapshots
from scan_svc.progress.watchers import EventKind, Watchers, WatchLimits
from scan_svc.results import Category, Classification, Results
from scan_svc.scans import Photo, Scan, State, Step
from tests.integration.scan.client import PHOTO, Client, StartScanService, create, follow, in_order, photo, reason
from tests.support.gates import Gate
from tests.support.peer_servicers import Peers
from tests.support.waiting import eventually

SEOUL = {"latitude": 37.5636, "longitude": 126.9084}
END = 2**32 - 1


async def rest(watching: Any) -> list[WatchScanResponse]:
    events = []
    while (event := await watching.read()) is not grpc.aio.EOF:
        events.append(event)
    return events


async def test_a_hundred_watches_are_sent_on_and_miss_nothing(
    start_scan_service: StartScanService, peers: Peers
) -> None:
    """A replica is drained while another works on: every client resumes there, from the version it has seen."""
    gate = peers.before["MatchRules"] = Gate()
    user = f"user-{uuid.uuid4().hex}"
    async with AsyncExitStack() as clients:
        staying = await clients.enter_async_context(start_scan_service(user, user_watcher_limit=200))
        async with start_scan_service(user, scan_role="api", user_watcher_limit=200, drain_seconds=0.2) as leaving:
            url = await photo(staying)
            scan_ids = await asyncio.gather(*(create(staying, url) for _ in range(100)))
            await gate.held(100)
            first = [leaving.watch(scan_id) for scan_id in scan_ids]
            seen = [[(await watching.read()).scan] for watching in first]
            ends = [asyncio.create_task(rest(watching)) for watching in first]
        for states, events in zip(seen, await asyncio.gather(*ends), strict=True):
            assert events[-1].type == WatchScanResponse.TYPE_RECONNECT
            states += [event.scan for event in events if event.HasField("scan")]
        following = [
            asyncio.create_task(follow(staying, scan_id, lambda: None, states))
            for scan_id, states in zip(scan_ids, seen, strict=True)
        ]
        gate.open()
        for states in await asyncio.gather(*following):
            assert in_order(states)
            assert states[-1].state == scan_pb2.Scan.STATE_SUCCEEDED
            assert [run.stage for run in states[-1].stages][:3] == ["vision", "rules", "answer"]


async def test_every_stage_that_lasts_is_told(client: Client, peers: Peers) -> None:
    """Each with its percentage, and none before the one before it is over."""
    held = ("Classify", "MatchRules", "ComposeAnswer", "FindPlaces", "EvaluateReward")
    gates = {method: Gate() for method in held}
    peers.before.update(gates)
    watching = client.watch(await client.started(location=SEOUL))
    told: list[tuple[str, int]] = []
    for percent, gate in zip((50, 60, 70, 90, 100), gates.values(), strict=True):
        while not told or told[-1][1] < percent:
            progress = (await watching.read()).scan.progress
            told.append((progress.stage, progress.percent))
        gate.open()
    told += [(event.scan.progress.stage, event.scan.progress.percent) for event in await rest(watching)]
    stages = [("vision", 50), ("rules", 60), ("answer", 70), ("places", 90), ("done", 100)]
    assert [stage for stage in dict.fromkeys(told) if stage[1] >= 50] == stages
    assert told == sorted(told, key=lambda stage: stage[1])


async def test_partial_results_travel_as_soon_as_they_exist_in_the_callers_language(
    client: Client, peers: Peers
) -> None:
    """The classification long before the answer, the answer's text as it is written, places, and the reward last."""
    gates = {method: Gate() for method in ("MatchRules", "ComposeAnswer", "EvaluateReward")}
    peers.before.update(gates)
    client.metadata = (client.metadata[0], ("accept-language", "en"))
    scan_id = await client.started(location=SEOUL, locale="ko")
    watching = client.watch(scan_id)
    states: list[scan_pb2.Scan] = []

    async def until(seen: Any) -> scan_pb2.Scan:
        while not states or not seen(states[-1]):
            states.append((await watching.read()).scan)
        return states[-1]

    classified = await until(lambda scan: scan.HasField("classification"))
    assert (classified.classification.category.middle, classified.progress.message) == (
        "금속류",
        "Finding the disposal rules",
    )
    gates["MatchRules"].open()
    drafted = await until(lambda scan: scan.answer_draft)
    assert (drafted.answer_draft, drafted.rules[0].rule_id, drafted.HasField("answer")) == ("비우고 ", "metal", False)
    gates["ComposeAnswer"].open()
    answered = await until(lambda scan: scan.HasField("answer") and scan.places)
    assert (answered.answer.text, answered.answer_draft, answered.HasField("reward")) == ("비우고 내놓아요.", "", False)
    gates["EvaluateReward"].open()
    assert (await until(lambda scan: scan.HasField("reward"))).reward.character.character_id == "metally"


async def events_of(client: Client, scan_id: str, last_event: str = "") -> AsyncGenerator[dict[str, str], None]:
    """Server-Sent Events as a browser reads them: fields by name; a comment's is empty."""
    request = event_stream_service_pb2.StreamEventsRequest(scan_id=scan_id)
    metadata = (*client.metadata, *((("last-event-id", last_event),) if last_event else ()))
    async with grpc.aio.insecure_channel(client.target) as channel:
        stub = event_stream_service_pb2_grpc.EventStreamServiceStub(channel)
        text = ""
        async for body in stub.StreamEvents(request, metadata=metadata):
            assert body.content_type == "text/event-stream"
            text += body.data.decode()
            while "\n\n" in text:
                event, text = text.split("\n\n", 1)
                yield dict(line.split(": ", 1) if line[0] != ":" else ("", line) for line in event.splitlines())


async def test_server_sent_events_have_ids_names_and_comments(
    start_scan_service: StartScanService, peers: Peers
) -> None:
    """What EventSource is made for: it resumes by the last id, and wakes the listener of the right name."""
    gate = peers.before["MatchRules"] = Gate()
    async with start_scan_service(heartbeat_seconds=0.05) as client:
        scan_id = await client.started()
        await gate.held(1)

        async def told() -> bool:  # a moment after the stage has begun; then nothing changes until the gate opens
            return (await client.get(scan_id)).progress.stage == "rules"

        await eventually(told)
        stream = events_of(client, scan_id)
        assert await anext(stream) == {"retry": "1000"}
        snapshot = await anext(stream)
        assert snapshot["event"] == "snapshot"
        shown = json.loads(snapshot["data"])
        assert (shown["type"], str(shown["scan"]["version"])) == ("TYPE_SNAPSHOT", snapshot["id"])
        assert await anext(stream) == {"": ": heartbeat"}
        await stream.aclose()
        resumed = events_of(client, scan_id, last_event=snapshot["id"])
        assert [await anext(resumed), await anext(resumed)] == [{"retry": "1000"}, {"": ": heartbeat"}]
        gate.open()
        after = [event async for event in resumed if "id" in event]
        assert {event["event"] for event in after[:-1]} <= {"update"}
        assert after[-1]["event"] == "terminal"
        ids = [int(event["id"]) for event in after]
        assert ids == sorted(set(ids))
        assert ids[0] > int(snapshot["id"])
        again = [event async for event in events_of(client, scan_id, last_event=after[-1]["id"]) if "id" in event]
        assert [event["event"] for event in again] == ["terminal"]


@pytest.mark.parametrize("nonsense", ["", "x", "-1", "99999999999", "9" * 5000, "²"])
async def test_a_last_event_that_is_not_ours_is_ignored(client: Client, nonsense: str) -> None:
    scan_id = (await client.create()).scan.scan_id
    if nonsense.isascii():
        stream = events_of(client, scan_id, last_event=nonsense)
        await anext(stream)
        assert (await anext(stream))["event"] == "snapshot"
        await stream.aclose()


async def waited(client: Client, scan_id: str, after_version: int, seconds: int = 20) -> scan_pb2.Scan:
    request = GetScanRequest(scan_id=scan_id, wait={"seconds": seconds}, after_version=after_version)
    return await client.stub.GetScan(request, metadata=client.metadata)


async def test_a_long_poll_answers_at_the_next_change(client: Client) -> None:
    """For clients that can't stream."""
    created = (await client.create()).scan
    assert (await waited(client, created.scan_id, 0)).version == created.version
    waiting = asyncio.create_task(waited(client, created.scan_id, created.version))
    await asyncio.sleep(0)
    cancelled = await client.cancel(created.scan_id)
    assert (await waiting).version == cancelled.version
    assert (await waited(client, created.scan_id, END)).state == scan_pb2.Scan.STATE_CANCELLED


async def test_a_long_poll_answers_when_the_time_is_up(client: Client) -> None:
    created = (await client.create()).scan
    request = GetScanRequest(scan_id=created.scan_id, wait={"nanos": 50_000_000}, after_version=created.version)
    assert (await client.stub.GetScan(request, metadata=client.metadata)).version == created.version
    request.wait.seconds = 30
    early = await client.stub.GetScan(request, metadata=client.metadata, timeout=0.7)
    assert early.version == created.version  # in time for the caller's own deadline


async def test_three_requests_make_a_scan(client: Client) -> None:
    """Create, start, and one that waits for the end."""
    created = await client.create()
    (await client.put(created.upload, PHOTO)).raise_for_status()
    await client.start(created.scan.scan_id)
    assert (await waited(client, created.scan.scan_id, END)).state == scan_pb2.Scan.STATE_SUCCEEDED


async def test_waiting_calls_leave_room_for_short_ones(start_scan_service: StartScanService) -> None:
    """Calls that only wait are watches; the limit of calls at work is another one."""
    async with start_scan_service(call_limit=2, grace_seconds=0) as client:
        created = (await client.create()).scan
        waiting = [asyncio.create_task(waited(client, created.scan_id, created.version)) for _ in range(10)]
        await asyncio.gather(*(client.get(created.scan_id) for _ in range(2)))
        for task in waiting:
            task.cancel()
        await asyncio.wait(waiting)


@pytest.mark.parametrize("limits", [{"watcher_limit": 1}, {"user_watcher_limit": 1}], ids=["process", "user"])
async def test_limits_of_watches_are_told_and_strangers_use_none_of_them(
    start_scan_service: StartScanService, limits: dict[str, int]
) -> None:
    """Counted once it is known that the scan may be watched, apart from the limit of short calls."""
    async with start_scan_service(**limits, grace_seconds=0) as client:
        scan_id = (await client.create()).scan.scan_id
        stranger = Client(client.target, grpc.aio.insecure_channel(client.target), "stranger")
        first = client.watch(scan_id)
        await first.read()
        for refused in (client.watch(scan_id).read(), waited(client, scan_id, END)):
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await refused
            assert (caught.value.code(), reason(caught.value)) == (
                grpc.StatusCode.RESOURCE_EXHAUSTED,
                Reason.WATCH_LIMIT,
            )
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stranger.watch(scan_id).read()
        assert caught.value.code() is grpc.StatusCode.NOT_FOUND
        assert (await client.get(scan_id)).scan_id == scan_id
        first.cancel()


def a_scan(version: int = 1, user: str = "user", **fields: Any) -> Scan:
    return Scan(
        scan_id=fields.pop("scan_id", str(uuid.uuid4())), user_id=user, state=fields.pop("state", State.RUNNING),
        version=version, photo=Photo("https://example.com/1.jpg"), created_at=datetime.now(UTC), **fields,
    )  # fmt: skip


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


@pytest.mark.parametrize("moment", ["before the read", "after the read", "after the snapshot"])
async def test_a_change_between_any_two_steps_of_a_watch_is_seen(moment: str) -> None:
    """Told first, then read, then shown: whatever comes between is either in what is read or told after it."""
    truth = Truth(a_scan())
    watchers = Watchers(truth.read, WatchLimits(10, 10, 60.0))

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
    watchers = Watchers(truth.read, WatchLimits(10, 10, 60.0))
    watchers.drain()
    async with asyncio.timeout(5):
        assert (await watchers.newer(truth.scan.scan_id, "user", truth.scan.version, 60.0)).version == 1


async def test_many_watchers_of_one_scan_are_one_read_for_each_change() -> None:
    """The stores must not notice how many watch."""
    truth = Truth(a_scan())
    watchers = Watchers(truth.read, WatchLimits(1000, 1000, 60.0))
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


async def test_a_reader_that_never_reads_holds_one_state_and_still_gets_the_end(
    start_scan_service: StartScanService, redis_url: str
) -> None:
    """Its slot keeps the latest state, so a thousand changes take no more memory than one; the end is never dropped."""
    async with start_scan_service(scan_role="api") as client, open_redis(redis_url) as redis:
        created = (await client.create()).scan
        snapshots = Snapshots(redis, SnapshotEncoder())
        user = dict(client.metadata)[USER_HEADER]
        sleeper, reader = client.watch(created.scan_id), client.watch(created.scan_id)
        text = "x" * 200_000  # far beyond what the connection buffers
        results = Results(vision=Classification(Category("미분류"), warning=text))
        for version in range(10_001, 10_201):
            await snapshots.publish(a_scan(version, user, scan_id=created.scan_id, results=results))
        end = a_scan(20_000, user, scan_id=created.scan_id, state=State.SUCCEEDED, finished_at=datetime.now(UTC))
        await snapshots.publish(end)
        assert (await rest(reader))[-1].type == WatchScanResponse.TYPE_TERMINAL
        late = await rest(sleeper)
        assert late[-1].scan.version == 20_000
        assert len(late) < 100
        versions = [event.scan.version for event in late if event.HasField("scan")]
        assert versions == sorted(set(versions))


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
