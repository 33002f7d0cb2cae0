"""The reward comes beside the answer, which no fault of Character delays or fails."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import asyncpg
import grpc
import pytest

from eco2.character.v1.character_pb2 import Reward
from eco2.scan.v1 import operations_service_pb2 as operations
from eco2.scan.v1 import scan_pb2
from eco2.scan.v1.scan_service_pb2 import GetScanRequest, ListScansRequest, WatchScanResponse
from mesh.errors import InvalidArgument, Unavailable
from mesh.postgres import open_pool
from mesh.reasons import Reason
from tests.integration.scan.client import Client, StartScanService
from tests.support.gates import Gate
from tests.support.scan.peer_servicers import Peers
from tests.support.waiting import eventually

SUCCEEDED = scan_pb2.Scan.STATE_SUCCEEDED


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[asyncpg.Pool]:
    """What the service writes to."""
    async with open_pool(database_url) as pool:
        yield pool


async def frozen() -> None:
    await asyncio.Event().wait()


async def refuses() -> None:
    raise InvalidArgument(Reason.INVALID_FIELD, field="category")


async def away() -> None:
    raise Unavailable(Reason.UNAVAILABLE, peer="character")


async def breaks() -> None:
    raise RuntimeError("a bug")


@pytest.fixture
def held(peers: Peers) -> Gate:
    """Character holds every call."""
    gate = peers.before["EvaluateReward"] = Gate()
    return gate


async def events(client: Client, scan_id: str) -> list[WatchScanResponse]:
    return [event async for event in client.watch(scan_id)]


async def rewarded(client: Client, scan_id: str) -> scan_pb2.Scan:
    """The scan once it has its reward."""

    async def there() -> bool:
        return (await client.get(scan_id)).HasField("reward")

    await eventually(there)
    return await client.get(scan_id)


async def jobs_of(database: asyncpg.Pool, scan_id: str) -> list[str]:
    return [row["kind"] for row in await database.fetch("select kind from scan.job where ref = $1", scan_id)]


@pytest.mark.parametrize("fault", [frozen, refuses, away, breaks])
async def test_no_fault_of_character_delays_or_fails_an_answer(
    client: Client, peers: Peers, fault: Callable[[], Awaitable[None]]
) -> None:
    """The answer ends the scan: it is shown at once, and the end is told without the reward before long."""
    peers.before["EvaluateReward"] = fault
    answering = peers.before["ComposeAnswer"] = Gate()
    scan_id = await client.started()
    told = []
    async with asyncio.timeout(20):
        async for event in client.watch(scan_id):
            told.append(event)
            answering.open()  # not before: whoever came after the answer would be shown it as a SNAPSHOT
    assert told[-1].type == WatchScanResponse.TYPE_TERMINAL
    scan = told[-1].scan
    assert (scan.state, scan.progress.percent, scan.answer.text) == (SUCCEEDED, 100, "비우고 내놓아요.")
    assert not scan.HasField("reward")
    assert any(event.type == WatchScanResponse.TYPE_UPDATE and event.scan == scan for event in told)
    assert [run.stage for run in scan.stages] == ["vision", "rules", "answer"]
    assert (await client.get(scan_id)).state == SUCCEEDED


async def test_a_watcher_normally_gets_both(client: Client, peers: Peers) -> None:
    """The end waits a moment for the reward."""
    told = await events(client, await client.started())
    assert told[-1].scan.reward.outcome == Reward.OUTCOME_GRANTED
    assert [event.type for event in told].count(WatchScanResponse.TYPE_TERMINAL) == 1
    versions = [event.scan.version for event in told if event.HasField("scan")]
    assert versions == sorted(set(versions))
    assert peers.calls["EvaluateReward"] == 1


async def test_a_late_reward_is_a_later_version_for_everybody(
    client: Client, start_scan_service: StartScanService, held: Gate
) -> None:
    """GetScan, the history, a long poll, a new watch and another replica show it, also those that had it cached."""
    user = client.metadata[0][1]
    async with start_scan_service(user, scan_role="api") as other:
        scan_id = await client.started()
        ended = await client.finished(scan_id)
        for replica in (client, other):
            assert await replica.get(scan_id) == ended
        held.open()
        scan = await rewarded(client, scan_id)
        assert scan.version > ended.version
        assert (scan.state, [run.stage for run in scan.stages][-1]) == (SUCCEEDED, "reward")
        assert await rewarded(other, scan_id) == scan
        request = GetScanRequest(scan_id=scan_id, wait={"seconds": 20}, after_version=ended.version)
        assert await other.stub.GetScan(request, metadata=client.metadata) == scan
        assert [event.scan for event in await events(other, scan_id)] == [scan]
        page = await other.stub.ListScans(ListScansRequest(), metadata=client.metadata)
        assert list(page.scans) == [scan]


async def test_whoever_waits_for_the_end_gets_both_and_whoever_knows_it_the_reward(client: Client, held: Gate) -> None:
    """For clients that can't stream."""
    scan_id = await client.started()
    await held.held()
    ended = await client.get(scan_id)
    assert (ended.state, ended.HasField("reward")) == (SUCCEEDED, False)
    requests = [
        GetScanRequest(scan_id=scan_id, wait={"seconds": 20}, after_version=version)
        for version in (ended.version, 2**32 - 1)
    ]
    waiting = [asyncio.ensure_future(client.stub.GetScan(one, metadata=client.metadata)) for one in requests]
    await asyncio.sleep(0)
    held.open()
    assert [scan.HasField("reward") for scan in await asyncio.gather(*waiting)] == [True, True]


async def test_a_dead_reward_is_for_operators_and_its_scan_stays_as_it_is(client: Client, peers: Peers) -> None:
    """Three tries, a dead letter, a replay; the scan has succeeded all the while."""
    peers.before["EvaluateReward"] = away
    scan_id = await client.started()
    wanted = operations.ListDeadLettersRequest(stage="reward")

    async def dead() -> bool:
        return bool((await client.operations.ListDeadLetters(wanted)).dead_letters)

    await eventually(dead)
    (letter,) = (await client.operations.ListDeadLetters(wanted)).dead_letters
    assert (letter.scan_id, letter.stage, letter.attempts) == (scan_id, "reward", 3)
    assert (await client.get(scan_id)).state == SUCCEEDED
    archived = await client.operations.ArchiveScan(operations.ArchiveScanRequest(scan_id=scan_id))
    assert archived.dead_letter.state == operations.DeadLetter.STATE_ARCHIVED
    del peers.before["EvaluateReward"]
    replayed = await client.operations.ReplayScan(operations.ReplayScanRequest(scan_id=scan_id))
    assert replayed.stage == "reward"
    assert (await rewarded(client, scan_id)).state == SUCCEEDED
    assert (peers.calls["Classify"], peers.calls["ComposeAnswer"]) == (1, 1)


async def test_what_can_t_be_had_is_archived_at_once(client: Client, peers: Peers) -> None:
    """As with a stage that can't succeed."""
    peers.before["EvaluateReward"] = refuses
    scan_id = await client.started()
    wanted = operations.ListDeadLettersRequest(stage="reward", state=operations.DeadLetter.STATE_ARCHIVED)

    async def archived() -> bool:
        return bool((await client.operations.ListDeadLetters(wanted)).dead_letters)

    await eventually(archived)
    assert peers.calls["EvaluateReward"] == 1
    assert (await client.get(scan_id)).state == SUCCEEDED


async def test_rewards_that_wait_are_counted(start_scan_service: StartScanService, held: Gate) -> None:
    """One at work, the others for whoever has room; they hold nobody's scan up."""
    async with start_scan_service(reward_capacity=1) as client:
        ended = [await client.finished(await client.started()) for _ in range(3)]
        assert {scan.state for scan in ended} == {SUCCEEDED}
        stats = await client.operations.GetQueueStats(operations.GetQueueStatsRequest())
        assert [(one.stage, one.ready, one.in_flight) for one in stats.stages] == [("reward", 2, 1)]
        held.open()
        for scan in ended:
            await rewarded(client, scan.scan_id)


async def test_a_deleted_scan_takes_its_reward_along(client: Client, peers: Peers, held: Gate, database: Any) -> None:
    """Nothing of it is left, and nobody goes on asking for it."""
    scan_id = await client.started()
    await held.held()
    assert await jobs_of(database, scan_id) == ["reward"]
    await client.delete(scan_id)
    await peers.cancelled.wait()
    assert await jobs_of(database, scan_id) == []
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await client.get(scan_id)
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND


async def test_the_release_before_deletes_a_reward_with_its_scan(client: Client, held: Gate, database: Any) -> None:
    """It knows nothing of such jobs."""
    scan_id = await client.started()
    await held.held()
    await database.execute("delete from scan.scan where id = $1", scan_id)
    assert await jobs_of(database, scan_id) == []


async def test_a_scan_with_a_reward_to_come_can_t_be_cancelled(client: Client, held: Gate) -> None:
    """It has ended."""
    scan_id = await client.started()
    await held.held()
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await client.cancel(scan_id)
    assert caught.value.code() is grpc.StatusCode.FAILED_PRECONDITION


async def test_neither_a_reply_nor_the_reward_it_overtakes_is_lost(
    client: Client, peers: Peers, held: Gate, database: Any
) -> None:
    """The reward is evaluated on the answer as it has become; versions only grow."""
    peers.asks = ("색",)
    scan_id = await client.started()
    await held.held()
    before = await client.get(scan_id)
    replied = (await client.reply(scan_id, "투명")).scan
    assert (list(replied.answer.insufficiencies), replied.HasField("reward")) == ([], False)
    held.open()
    scan = await rewarded(client, scan_id)
    assert scan.reward.outcome == Reward.OUTCOME_GRANTED
    assert (scan.answer, scan.region) == (replied.answer, "11440")
    assert before.version < replied.version < scan.version
    assert (peers.calls["Classify"], peers.calls["ComposeAnswer"]) == (1, 2)

    async def over() -> bool:
        return await jobs_of(database, scan_id) == []

    await eventually(over)
