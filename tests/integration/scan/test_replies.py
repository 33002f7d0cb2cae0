"""Replies to what an answer leaves open."""

import asyncio
import uuid
from collections.abc import Awaitable

import grpc
import pytest

from eco2.character.v1.character_pb2 import Reward
from eco2.scan.v1 import scan_pb2
from mesh.errors import Reason, Unavailable
from mesh.postgres import Queries, open_pool
from mesh.status import from_rpc_error
from scan_svc.reply_store import Reply, ReplyStore
from scan_svc.store import ScanStore
from tests.integration.scan.conftest import Client, Peers, StartScanService

QUESTION = "투명한 병인가요?"
SEOUL = {"latitude": 37.5636, "longitude": 126.9084}


async def refusal(call: Awaitable[object]) -> tuple[grpc.StatusCode, Reason]:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await call
    return refused.value.code(), from_rpc_error(refused.value, "scan").reason


@pytest.fixture
async def asked(client: Client, peers: Peers) -> scan_pb2.Scan:
    """A finished scan whose answer leaves a question open."""
    peers.asks = (QUESTION,)
    return await client.finished(await client.started(location=SEOUL))


async def test_a_reply_makes_the_answer_sharper_without_another_look_at_the_photo(
    client: Client, peers: Peers, asked: scan_pb2.Scan
) -> None:
    """Category, region, rules, answer, places and the reward follow from it; vision isn't paid for again."""
    assert asked.reward.outcome == Reward.OUTCOME_INSUFFICIENT
    replied = await client.reply(asked.scan_id, "투명해요")
    scan = replied.scan
    assert (replied.understood, replied.message) == (True, "고마워요")
    assert (scan.classification.category.middle, scan.region) == ("무색페트병", "11440")
    assert not scan.answer.insufficiencies
    assert scan.reward.outcome == Reward.OUTCOME_GRANTED
    assert scan.version > asked.version
    assert scan.stages[-1].stage == "reply"
    assert (peers.calls["Classify"], peers.calls["MatchRules"], peers.calls["ComposeAnswer"]) == (1, 2, 2)
    assert peers.calls["FindPlaces"] == 2
    assert await client.get(asked.scan_id) == scan


async def test_who_watches_again_sees_the_sharper_answer(client: Client, asked: scan_pb2.Scan) -> None:
    """The version has grown, so a watcher that knew the old one is told."""
    await client.reply(asked.scan_id, "투명")
    (event,) = [event async for event in client.watch(asked.scan_id, asked.version)]
    assert event.scan.classification.category.middle == "무색페트병"


async def test_a_reply_that_settles_nothing_changes_nothing(client: Client, peers: Peers, asked: scan_pb2.Scan) -> None:
    """It is told kindly, and the question stays open."""
    replied = await client.reply(asked.scan_id, "글쎄요")
    assert (replied.understood, replied.message) == (False, "음…")
    assert replied.scan == asked
    assert peers.calls["ComposeAnswer"] == 1
    assert (await client.reply(asked.scan_id, "투명")).understood


async def test_the_same_request_is_told_the_same(client: Client, peers: Peers, asked: scan_pb2.Scan) -> None:
    """A phone that lost the response asks again."""
    request_id = str(uuid.uuid4())
    first = await client.reply(asked.scan_id, "투명", request_id)
    assert await client.reply(asked.scan_id, "투명", request_id) == first
    assert peers.calls["InterpretReply"] == 1
    code, reason = await refusal(client.reply(asked.scan_id, "초록", request_id))
    assert (code, reason) == (grpc.StatusCode.ALREADY_EXISTS, Reason.REQUEST_ID_REUSED)


async def test_a_reply_nobody_understood_is_told_the_same_again(
    client: Client, peers: Peers, asked: scan_pb2.Scan
) -> None:
    """Also without an effect."""
    request_id = str(uuid.uuid4())
    first = await client.reply(asked.scan_id, "글쎄요", request_id)
    assert await client.reply(asked.scan_id, "글쎄요", request_id) == first
    assert peers.calls["InterpretReply"] == 1


async def test_of_replies_at_once_one_settles_it(client: Client, peers: Peers, asked: scan_pb2.Scan) -> None:
    """The version decides; the others find that nothing is asked any more."""
    replies = [client.reply(asked.scan_id, "투명") for _ in range(10)]
    outcomes = await asyncio.gather(*replies, return_exceptions=True)
    settled = [outcome for outcome in outcomes if not isinstance(outcome, BaseException)]
    refused = [outcome for outcome in outcomes if isinstance(outcome, grpc.aio.AioRpcError)]
    assert (len(settled), len(refused)) == (1, 9)
    assert {from_rpc_error(error, "scan").reason for error in refused} == {Reason.NOTHING_ASKED}
    assert (await client.get(asked.scan_id)).version == asked.version + 1


async def test_an_answer_that_asks_nothing_takes_no_reply(client: Client) -> None:
    """There is nothing to reply to."""
    scan = await client.finished(await client.started())
    assert await refusal(client.reply(scan.scan_id, "투명")) == (
        grpc.StatusCode.FAILED_PRECONDITION,
        Reason.NOTHING_ASKED,
    )


async def test_a_scan_that_isn_t_finished_takes_no_reply(client: Client) -> None:
    """Its answer isn't written yet."""
    created = await client.create()
    code, reason = await refusal(client.reply(created.scan.scan_id, "투명"))
    assert (code, reason) == (grpc.StatusCode.FAILED_PRECONDITION, Reason.SCAN_STATE)


async def test_somebody_else_s_scan_is_not_found(
    start_scan_service: StartScanService, client: Client, asked: scan_pb2.Scan
) -> None:
    """Nor is one that never was."""
    async with start_scan_service() as stranger:
        for scan_id in (asked.scan_id, str(uuid.uuid4())):
            code, reason = await refusal(stranger.reply(scan_id, "투명"))
            assert (code, reason) == (grpc.StatusCode.NOT_FOUND, Reason.SCAN_NOT_FOUND)


async def test_a_reply_whose_reward_fails_is_kept_by_nobody_and_can_be_repeated(
    client: Client, peers: Peers, asked: scan_pb2.Scan
) -> None:
    """Half a reply would lose the character for ever."""

    async def fail() -> None:
        raise Unavailable(Reason.UNAVAILABLE, peer="postgres")

    peers.before["EvaluateReward"] = fail
    assert (await refusal(client.reply(asked.scan_id, "투명")))[0] is grpc.StatusCode.UNAVAILABLE
    assert await client.get(asked.scan_id) == asked
    del peers.before["EvaluateReward"]
    assert (await client.reply(asked.scan_id, "투명")).scan.reward.outcome == Reward.OUTCOME_GRANTED


async def test_a_reply_to_a_scan_that_is_deleted_meanwhile_is_not_found(
    client: Client, peers: Peers, asked: scan_pb2.Scan
) -> None:
    """Even one that nobody understood."""

    async def delete() -> None:
        await client.delete(asked.scan_id)

    peers.before["InterpretReply"] = delete
    assert await refusal(client.reply(asked.scan_id, "글쎄요")) == (grpc.StatusCode.NOT_FOUND, Reason.SCAN_NOT_FOUND)


async def test_a_request_that_was_answered_meanwhile_changes_nothing_again(
    database_url: str, asked: scan_pb2.Scan
) -> None:
    """Sent twice, and understood once only: the book of rules may have changed in between."""
    async with open_pool(database_url) as pool:
        queries = Queries("scan_svc")
        store, scan = ReplyStore(pool, queries), await ScanStore(pool, queries).get(asked.scan_id)
        assert await store.keep(scan.scan_id, Reply("투명", "one", understood=False, message="음…"))
        assert not await store.sharpen(scan, scan, Reply("투명", "one", understood=True, message="고마워요"))
        assert await ScanStore(pool, queries).get(asked.scan_id) == scan
