"""A scan from creation to its end, on real stores."""

import asyncio
import uuid
from contextlib import AsyncExitStack
from typing import Any, cast

import asyncpg
import grpc
import httpx2
import pytest
from google.rpc import error_details_pb2

from eco2.scan.v1 import operations_service_pb2 as operations
from eco2.scan.v1 import scan_pb2
from eco2.scan.v1.scan_service_pb2 import CreateScanRequest, GetScanRequest, ListScansRequest, WatchScanResponse
from mesh.errors import InvalidArgument, Unavailable
from mesh.identity import USER_HEADER
from mesh.postgres import Pool, open_pool
from mesh.reasons import Reason
from scan_svc.scans import NewScan, Photo, ScanRequest
from scan_svc.store import ScanStore
from tests.integration.scan.client import PHOTO, Client, StartScanService, info_of, reason, reason_of, status
from tests.support.peer_servicers import Peers

SEOUL = {"latitude": 37.5636, "longitude": 126.9084}


async def fails(error: Exception) -> None:
    raise error


async def test_a_photo_becomes_an_answer_and_every_stage_is_seen(client: Client) -> None:
    """The main job, as a client sees it."""
    created = await client.create(location=SEOUL, user_input="어디에 버려요?")
    assert created.scan.state == scan_pb2.Scan.STATE_AWAITING_UPLOAD
    events = []

    async def watch() -> None:
        async for event in client.watch(created.scan.scan_id):
            events.append(event)

    watching = asyncio.create_task(watch())
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


async def test_the_photo_can_be_seen_where_the_reply_says(client: Client) -> None:
    """image_url is given out before the upload; it must be true afterwards."""
    created = await client.create()
    (await client.put(created.upload)).raise_for_status()
    async with httpx2.AsyncClient() as http:
        assert (await http.get(created.image_url)).content == PHOTO


@pytest.mark.parametrize("content", [PHOTO + b"!", PHOTO[:-1], PHOTO[::-1]], ids=["longer", "shorter", "other bytes"])
async def test_storage_refuses_what_was_not_announced(client: Client, content: bytes) -> None:
    """Length and checksum are bound in the signature."""
    created = await client.create()
    created.upload.headers["Content-Length"] = str(len(content))
    assert (await client.put(created.upload, content)).status_code in (400, 403)


async def test_a_late_watcher_gets_the_state_first_and_a_later_one_the_end_at_once(
    client: Client, peers: Peers
) -> None:
    """Phones lose their connection all the time."""
    hold, reached = asyncio.Event(), asyncio.Event()

    async def wait() -> None:
        reached.set()
        await hold.wait()

    peers.before["ComposeAnswer"] = wait
    scan_id = await client.started()
    await reached.wait()
    late = client.watch(scan_id)
    first = await late.read()
    assert (first.type, first.scan.classification.category.middle) == (WatchScanResponse.TYPE_SNAPSHOT, "금속류")
    hold.set()
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


async def test_cancelling_a_running_scan_cancels_the_peers_call(client: Client, peers: Peers) -> None:
    """A model call that nobody waits for still costs."""
    reached = asyncio.Event()

    async def hang() -> None:
        reached.set()
        await asyncio.Event().wait()

    peers.before["Classify"] = hang
    scan_id = await client.started()
    await reached.wait()
    assert (await client.cancel(scan_id)).state == scan_pb2.Scan.STATE_CANCELLED
    await peers.cancelled.wait()
    assert (await client.finished(scan_id)).state == scan_pb2.Scan.STATE_CANCELLED
    assert (await client.cancel(scan_id)).state == scan_pb2.Scan.STATE_CANCELLED


async def test_a_cancelled_upload_cannot_be_started(client: Client) -> None:
    """The state decides, not the order in which requests arrive."""
    created = await client.create()
    await client.cancel(created.scan.scan_id)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await client.start(created.scan.scan_id)
    assert (caught.value.code(), reason(caught.value)) == (grpc.StatusCode.FAILED_PRECONDITION, Reason.SCAN_STATE)


async def test_a_finished_scan_cannot_be_cancelled(client: Client) -> None:
    """Its answer is there, and its reward may be granted."""
    scan_id = await client.started()
    await client.finished(scan_id)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await client.cancel(scan_id)
    assert reason(caught.value) == Reason.SCAN_STATE


async def test_a_deleted_scan_leaves_neither_photo_nor_state(client: Client) -> None:
    """Deleting is a promise about the photo above all."""
    created = await client.create()
    (await client.put(created.upload)).raise_for_status()
    await client.start(created.scan.scan_id)
    await client.finished(created.scan.scan_id)
    await client.delete(created.scan.scan_id)
    for again in (client.get, client.delete):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await again(created.scan.scan_id)
        assert reason(caught.value) == Reason.SCAN_NOT_FOUND
    async with httpx2.AsyncClient() as http:
        assert (await http.get(created.image_url)).status_code == 404


async def test_deleting_ends_the_watch(client: Client, peers: Peers) -> None:
    """A watcher of nothing would wait for ever."""
    peers.before["Classify"] = asyncio.Event().wait
    scan_id = await client.started()
    watching = client.watch(scan_id)
    await watching.read()
    await client.delete(scan_id)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await _rest(watching)
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND


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
    for refused in (client.cancel(capitals), client.reply(capitals, "투명")):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await refused
        assert caught.value.code() is grpc.StatusCode.FAILED_PRECONDITION
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


async def test_fifty_duplicates_make_one_scan(client: Client) -> None:
    """Phones repeat a request when the answer is lost."""
    request_id = uuid.uuid4().hex
    created = await asyncio.gather(*(client.create(request_id=request_id) for _ in range(50)))
    assert len({one.scan.scan_id for one in created}) == 1
    assert all(one.upload.url for one in created)
    page = await client.stub.ListScans(ListScansRequest(), metadata=client.metadata)
    assert len(page.scans) == 1


async def test_replicas_that_store_the_same_requests_in_opposite_order_agree(
    start_scan_service: StartScanService,
) -> None:
    """Scans created at the same time share a transaction; two of those must not wait for each other."""
    request_ids = [uuid.uuid4().hex for _ in range(100)]
    async with (
        start_scan_service("user", scan_role="api") as one,
        start_scan_service("user", scan_role="api") as other,
    ):
        ones, others = await asyncio.gather(
            asyncio.gather(*(one.create(request_id=request_id) for request_id in request_ids)),
            asyncio.gather(*(other.create(request_id=request_id) for request_id in reversed(request_ids))),
        )
    assert [scan.scan.scan_id for scan in ones] == [scan.scan.scan_id for scan in reversed(others)]


def new_scan(request_id: str, user_input: str = "") -> NewScan:
    url = "https://example.com/a.jpg"
    asked = ScanRequest(user_id="user", request_id=request_id, photo=url, user_input=user_input)
    return NewScan(str(uuid.uuid4()), Photo(url), asked)


async def test_a_scan_that_cant_be_stored_fails_alone(database_url: str) -> None:
    """Those that share its transaction are other people's."""
    async with open_pool(database_url) as pool:
        store = ScanStore(pool)
        texts = [*"abcdefg", "\0"]
        made = await asyncio.gather(
            *(store.create(new_scan(uuid.uuid4().hex, text), "") for text in texts), return_exceptions=True
        )
    assert [isinstance(one, BaseException) for one in made] == [text == "\0" for text in texts]


class DeletingPool:
    """Connections of somebody whose scan is deleted when they look for it."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def fetchrow(self, query: str, *arguments: Any) -> Any:
        await self._pool.execute("delete from scan.job")
        await self._pool.execute("delete from scan.scan")
        return await self._pool.fetchrow(query, *arguments)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._pool, name)


async def test_a_request_whose_scan_is_deleted_at_that_moment_makes_another(database_url: str) -> None:
    """There is none to return, and nothing that its id would be in use for."""
    async with open_pool(database_url) as pool:
        await ScanStore(pool).create(new_scan("same"), "")
        again = new_scan("same")
        scan, is_new = await ScanStore(cast("Pool", DeletingPool(pool))).create(again, "")
    assert (scan.scan_id, is_new) == (again.scan_id, True)


async def test_a_request_id_with_another_content_is_refused(client: Client) -> None:
    """Silently returning the first scan would answer the wrong photo."""
    request_id = uuid.uuid4().hex
    await client.create(request_id=request_id)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await client.create(PHOTO + b"!", request_id=request_id)
    assert (caught.value.code(), reason(caught.value)) == (grpc.StatusCode.ALREADY_EXISTS, Reason.REQUEST_ID_REUSED)


async def test_starting_twice_is_harmless_and_starting_without_a_photo_is_told(client: Client, peers: Peers) -> None:
    """The client can't know whether its first start arrived."""
    created = await client.create()
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await client.start(created.scan.scan_id)
    told = info_of(status(caught.value))
    assert (told.reason, dict(told.metadata)) == (Reason.PHOTO_NOT_UPLOADED, {"scan_id": created.scan.scan_id})
    (await client.put(created.upload)).raise_for_status()
    await asyncio.gather(*(client.start(created.scan.scan_id) for _ in range(10)))
    await client.finished(created.scan.scan_id)
    assert (await client.start(created.scan.scan_id)).state == scan_pb2.Scan.STATE_SUCCEEDED
    assert peers.calls["Classify"] == 1


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


async def test_inner_addresses_are_refused_at_creation(client: Client) -> None:
    """A photo's address must not reach into our own network."""
    for url in ("http://example.com/a.jpg", "https://169.254.169.254/latest", "https://localhost/a.jpg"):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await client.stub.CreateScan(CreateScanRequest(image_url=url), metadata=client.metadata)
        assert reason(caught.value) == Reason.ADDRESS_REFUSED


async def test_a_photo_of_our_own_cdn_is_scanned_at_once(client: Client) -> None:
    """The older clients upload first and then name the CDN's address."""
    earlier = await client.create()
    (await client.put(earlier.upload)).raise_for_status()
    request = CreateScanRequest(image_url=earlier.image_url)
    created = await client.stub.CreateScan(request, metadata=client.metadata)
    assert not created.HasField("upload")
    assert (await client.finished(created.scan.scan_id)).state == scan_pb2.Scan.STATE_SUCCEEDED


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


async def test_a_silent_watch_has_heartbeats_and_a_leaving_server_sends_its_watchers_on(
    start_scan_service: StartScanService, peers: Peers
) -> None:
    """Proxies cut what is silent, and a cut stream looks like a failure."""
    peers.before["Classify"] = asyncio.Event().wait
    async with start_scan_service(heartbeat_seconds=0.05, drain_seconds=0.1, grace_seconds=0) as client:
        watching = client.watch(await client.started())
        while (await watching.read()).type != WatchScanResponse.TYPE_HEARTBEAT:
            pass
        rest = asyncio.create_task(_rest(watching))
    assert (await rest)[-1].type == WatchScanResponse.TYPE_RECONNECT


async def test_leaving_gives_the_scan_back_with_its_attempt(
    start_scan_service: StartScanService, peers: Peers, database_url: str
) -> None:
    """A deployment must not cost a scan one of its tries."""
    reached = asyncio.Event()

    async def hang() -> None:
        reached.set()
        await asyncio.Event().wait()

    peers.before["Classify"] = hang
    async with start_scan_service(grace_seconds=0) as client:
        scan_id = await client.started()
        await reached.wait()
    connection = await asyncpg.connect(database_url)
    row = await connection.fetchrow("select state, attempt, crashes from scan.job where ref = $1", scan_id)
    await connection.close()
    assert row is not None
    assert tuple(row) == ("READY", 0, 0)
    del peers.before["Classify"]
    user = dict(client.metadata)[USER_HEADER]
    async with start_scan_service(user) as next_one:
        assert (await next_one.finished(scan_id)).state == scan_pb2.Scan.STATE_SUCCEEDED


async def test_the_worker_leaves_while_the_api_drains(start_scan_service: StartScanService, peers: Peers) -> None:
    """One after the other they would take longer than a pod is given, and who is killed counts as crashed."""
    reached = asyncio.Event()

    async def hang() -> None:
        reached.set()
        await asyncio.Event().wait()

    peers.before["Classify"] = hang
    async with AsyncExitStack() as service:
        client = await service.enter_async_context(start_scan_service(drain_seconds=1, grace_seconds=0))
        scan_id = await client.started()
        await reached.wait()
        leaving = asyncio.create_task(service.aclose())
        await peers.cancelled.wait()
        assert (await client.get(scan_id)).scan_id == scan_id  # calls are still answered
        await leaving


async def _rest(watching: Any) -> list[WatchScanResponse]:
    events = []
    while (event := await watching.read()) is not grpc.aio.EOF:
        events.append(event)
    return events
