"""Watching: streams that resume, servers that leave, readers that don't read, limits that are told."""

import asyncio
import uuid
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from typing import Any

import pytest

from eco2.scan.v1 import scan_pb2
from eco2.scan.v1.scan_service_pb2 import WatchScanResponse
from mesh.grpc.identity import USER_HEADER
from mesh.redis import open_redis
from scan_svc.mirrors.vision import Category, Classification
from scan_svc.progress.encoder import SnapshotEncoder
from scan_svc.progress.snapshots import Snapshots
from scan_svc.results import Results
from scan_svc.scans import State
from tests.integration.scan.client import Client, StartScanService, create, follow, in_order, photo, rest
from tests.integration.scan.sample_scans import a_scan
from tests.support.gates import Gate
from tests.support.scan.peer_servicers import Peers

pytestmark = pytest.mark.redis_shapes

SEOUL = {"latitude": 37.5636, "longitude": 126.9084}


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
    assert classified.classification.category.middle == "금속류"
    await until(lambda scan: scan.progress.message == "Finding the disposal rules")
    gates["MatchRules"].open()
    drafted = await until(lambda scan: scan.answer_draft)
    assert (drafted.answer_draft, drafted.rules[0].rule_id, drafted.HasField("answer")) == ("비우고 ", "metal", False)
    gates["ComposeAnswer"].open()
    answered = await until(lambda scan: scan.HasField("answer") and scan.places)
    assert (answered.answer.text, answered.answer_draft, answered.HasField("reward")) == ("비우고 내놓아요.", "", False)
    gates["EvaluateReward"].open()
    assert (await until(lambda scan: scan.HasField("reward"))).reward.character.character_id == "metally"


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
