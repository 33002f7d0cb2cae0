"""A scan from creation to its end, on real stores."""

import asyncio

import grpc
import pytest
from google.rpc import error_details_pb2

from eco2.scan.v1 import operations_service_pb2 as operations
from eco2.scan.v1 import scan_pb2
from eco2.scan.v1.scan_service_pb2 import GetScanRequest, ListScansRequest, WatchScanResponse
from mesh.errors import InvalidArgument, Unavailable
from mesh.grpc.identity import USER_HEADER
from mesh.reasons import Reason
from tests.integration.scan.client import PHOTO, Client, StartScanService, reason, reason_of
from tests.support.gates import Gate
from tests.support.scan.peer_servicers import Peers
from tests.support.waiting import eventually

pytestmark = pytest.mark.redis_shapes

SEOUL = {"latitude": 37.5636, "longitude": 126.9084}


async def fails(error: Exception) -> None:
    raise error


async def test_a_photo_becomes_an_answer_and_every_stage_is_seen(client: Client) -> None:
    """The main job, as a client sees it."""
    created = await client.create(location=SEOUL, user_input="어디에 버려요?")
    assert created.scan.state == scan_pb2.Scan.STATE_AWAITING_UPLOAD
    events, watched = [], asyncio.Event()

    async def watch() -> None:
        async for event in client.watch(created.scan.scan_id):
            events.append(event)
            watched.set()

    watching = asyncio.create_task(watch())
    await watched.wait()
    (await client.put(created.upload)).raise_for_status()
    await client.start(created.scan.scan_id)
    await watching
    kinds = [event.type for event in events]
    assert kinds[0] == WatchScanResponse.TYPE_SNAPSHOT
    assert kinds[-1] == WatchScanResponse.TYPE_TERMINAL
    assert kinds.count(WatchScanResponse.TYPE_TERMINAL) == 1
    percents = [event.scan.progress.percent for event in events]
    assert percents == sorted(percents)
    scan = events[-1].scan
    assert scan.state == scan_pb2.Scan.STATE_SUCCEEDED
    assert [run.stage for run in scan.stages] == ["vision", "rules", "answer", "places", "reward"]
    assert (scan.classification.category.middle, scan.answer.text) == ("금속류", "비우고 내놓아요.")
    assert (scan.places[0].place_id, scan.reward.character.character_id) == ("p1", "metally")
    versions = [event.scan.version for event in events]
    assert versions == sorted(set(versions))


@pytest.mark.parametrize("content", [PHOTO + b"!", PHOTO[:-1], PHOTO[::-1]], ids=["longer", "shorter", "other bytes"])
async def test_storage_refuses_what_was_not_announced(client: Client, content: bytes) -> None:
    """Length and checksum are bound in the signature."""
    created = await client.create()
    created.upload.headers["Content-Length"] = str(len(content))
    assert (await client.put(created.upload, content)).status_code in (400, 403)


async def classified(client: Client, scan_id: str) -> bool:
    return (await client.get(scan_id)).HasField("classification")


async def test_a_late_watcher_gets_the_state_first_and_a_later_one_the_end_at_once(
    client: Client, peers: Peers
) -> None:
    """Phones lose their connection all the time."""
    answering = peers.before["ComposeAnswer"] = Gate()
    scan_id = await client.started()
    await answering.held()
    await eventually(lambda: classified(client, scan_id))  # a stage begins a moment before the last one's end is shown
    late = client.watch(scan_id)
    first = await late.read()
    assert (first.type, first.scan.classification.category.middle) == (WatchScanResponse.TYPE_SNAPSHOT, "금속류")
    answering.open()
    await client.finished(scan_id)
    after = [event.type async for event in client.watch(scan_id)]
    assert after == [WatchScanResponse.TYPE_TERMINAL]


async def test_a_failed_stage_retries_alone(client: Client, peers: Peers) -> None:
    """What an earlier stage produced is never paid for again."""
    outcomes = [fails, fails, None]

    async def sometimes() -> None:
        outcome = outcomes.pop(0)
        if outcome:
            await outcome(Unavailable(Reason.UNAVAILABLE, peer="model"))

    peers.before["ComposeAnswer"] = sometimes
    scan = await client.finished(await client.started())
    assert scan.state == scan_pb2.Scan.STATE_SUCCEEDED
    assert (peers.calls["Classify"], peers.calls["ComposeAnswer"]) == (1, 3)
    assert {run.stage: run.attempts for run in scan.stages}["answer"] == 3


async def test_what_cannot_succeed_fails_at_once_and_says_why_in_both_languages(client: Client, peers: Peers) -> None:
    """A photo that can't be read doesn't get better by waiting."""
    peers.before["Classify"] = lambda: fails(InvalidArgument(Reason.PHOTO_UNREADABLE, detail="truncated"))
    scan = await client.finished(await client.started())
    assert (scan.state, peers.calls["Classify"]) == (scan_pb2.Scan.STATE_FAILED, 1)
    assert reason_of(scan.error) == Reason.PHOTO_UNREADABLE
    texts = [error_details_pb2.LocalizedMessage() for _ in range(2)]
    assert [detail.Unpack(text) for detail, text in zip(scan.error.details[-2:], texts, strict=True)] == [True, True]
    assert [text.locale for text in texts] == ["ko", "en"]
    letters = await client.operations.ListDeadLetters(operations.ListDeadLettersRequest())
    assert not letters.dead_letters


async def test_a_dead_letter_is_listed_and_replayed_from_its_stage(client: Client, peers: Peers) -> None:
    """When a peer was down for long, an operator brings its scans back without paying for vision again."""
    peers.before["ComposeAnswer"] = lambda: fails(Unavailable(Reason.UNAVAILABLE, peer="rules"))
    scan_id = await client.started()
    failed = await client.finished(scan_id)
    assert failed.state == scan_pb2.Scan.STATE_FAILED
    letters = await client.operations.ListDeadLetters(operations.ListDeadLettersRequest(stage="answer"))
    assert [(one.scan_id, one.attempts) for one in letters.dead_letters] == [(scan_id, 3)]
    del peers.before["ComposeAnswer"]
    replayed = await client.operations.ReplayScan(operations.ReplayScanRequest(scan_id=scan_id))
    assert replayed.stage == "answer"
    assert (await client.finished(scan_id)).state == scan_pb2.Scan.STATE_SUCCEEDED
    assert peers.calls["Classify"] == 1
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await client.operations.ReplayScan(operations.ReplayScanRequest(scan_id=scan_id))
    assert reason(caught.value) == Reason.DEAD_LETTER_NOT_FOUND


async def test_places_never_fail_a_scan(client: Client, peers: Peers) -> None:
    """An answer without places is worth having."""
    peers.before["FindPlaces"] = lambda: fails(Unavailable(Reason.UNAVAILABLE, peer="postgres"))
    scan = await client.finished(await client.started(location=SEOUL))
    assert (scan.state, list(scan.places)) == (scan_pb2.Scan.STATE_SUCCEEDED, [])
    assert [run.stage for run in scan.stages] == ["vision", "rules", "answer", "reward"]


async def test_without_a_location_no_places_are_looked_for(client: Client, peers: Peers) -> None:
    """Where a user is, is theirs to say."""
    await client.finished(await client.started())
    assert peers.calls["FindPlaces"] == 0


async def test_an_id_in_capitals_means_the_same_scan(client: Client, peers: Peers) -> None:
    """iPhones write UUIDs so."""
    created = await client.create()
    (await client.put(created.upload)).raise_for_status()
    capitals = created.scan.scan_id.upper()
    waiting = GetScanRequest(scan_id=capitals, wait={"seconds": 20}, after_version=2**31)
    assert (await client.start(capitals)).scan_id == created.scan.scan_id
    done = await client.finished(capitals)
    assert done.state == scan_pb2.Scan.STATE_SUCCEEDED
    assert await client.get(capitals) == done
    assert await client.stub.GetScan(waiting, metadata=client.metadata) == done
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await client.cancel(capitals)
    assert caught.value.code() is grpc.StatusCode.FAILED_PRECONDITION
    assert (await client.reply(capitals, "투명")).scan.scan_id == created.scan.scan_id
    await client.delete(capitals)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await client.get(created.scan.scan_id)
    assert reason(caught.value) == Reason.SCAN_NOT_FOUND


async def test_others_scans_do_not_exist(client: Client, peers: Peers) -> None:
    """NOT_FOUND, for every RPC: even that a scan exists is its user's."""
    scan_id = await client.started()
    stranger = Client(client.target, grpc.aio.insecure_channel(client.target), "stranger")
    stranger.metadata = ((USER_HEADER, "stranger"),)
    for method in (stranger.get, stranger.start, stranger.cancel, stranger.delete, stranger.finished):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await method(scan_id)
        assert (caught.value.code(), reason(caught.value)) == (grpc.StatusCode.NOT_FOUND, Reason.SCAN_NOT_FOUND)
    page = await stranger.stub.ListScans(ListScansRequest(), metadata=stranger.metadata)
    assert not page.scans


async def test_history_is_paged_newest_first(client: Client) -> None:
    """Tokens must neither skip nor repeat."""
    created = [(await client.create()).scan.scan_id for _ in range(5)]
    seen, token = [], ""
    while True:
        page = await client.stub.ListScans(ListScansRequest(page_size=2, page_token=token), metadata=client.metadata)
        seen += [scan.scan_id for scan in page.scans]
        token = page.next_page_token
        if not token:
            break
    assert seen == created[::-1]
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await client.stub.ListScans(ListScansRequest(page_token="made up"), metadata=client.metadata)
    assert reason(caught.value) == Reason.INVALID_PAGE_TOKEN


async def test_everything_works_without_redis(start_scan_service: StartScanService) -> None:
    """Redis may vanish at any moment: slower, but nothing fails."""
    async with start_scan_service(redis_url="redis://127.0.0.1:1/0") as client:
        scan = await client.finished(await client.started(location=SEOUL))
        assert scan.state == scan_pb2.Scan.STATE_SUCCEEDED
        assert (await client.get(scan.scan_id)).answer.text == "비우고 내놓아요."


async def test_a_scan_takes_no_longer_than_it_may(start_scan_service: StartScanService, peers: Peers) -> None:
    """A user's patience ends, and so does a scan."""
    peers.before["Classify"] = asyncio.Event().wait
    async with start_scan_service(scan_seconds=0.2) as client:
        scan = await client.finished(await client.started())
    assert (scan.state, reason_of(scan.error)) == (scan_pb2.Scan.STATE_FAILED, Reason.SCAN_TIMED_OUT)


async def test_too_many_watchers_are_told_to_come_back(start_scan_service: StartScanService, peers: Peers) -> None:
    """A limit that isn't told looks like a fault."""
    peers.before["Classify"] = asyncio.Event().wait
    async with start_scan_service(watcher_limit=1, grace_seconds=0) as client:
        scan_id = await client.started()
        first = client.watch(scan_id)
        await first.read()
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await client.watch(scan_id).read()
        assert reason(caught.value) == Reason.WATCH_LIMIT
