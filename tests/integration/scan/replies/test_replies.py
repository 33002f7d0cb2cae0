"""Replies to what an answer leaves open."""

import uuid

import grpc

from eco2.character.v1.character_pb2 import Reward
from eco2.scan.v1 import scan_pb2
from mesh.reasons import Reason
from tests.integration.scan.client import Client, StartScanService
from tests.integration.scan.replies.asking import refusal
from tests.support.gates import Gate
from tests.support.scan.peer_servicers import Peers
from tests.support.waiting import eventually


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


async def test_an_answer_that_asks_nothing_may_be_corrected(client: Client, peers: Peers) -> None:
    """However sure it was: rules and answer are made anew, the photo isn't looked at again."""
    scan = await client.finished(await client.started())
    assert not scan.answer.insufficiencies
    replied = await client.reply(scan.scan_id, "투명")
    assert (replied.understood, replied.scan.classification.category.middle) == (True, "무색페트병")
    assert replied.scan.version > scan.version
    assert (peers.calls["Classify"], peers.calls["MatchRules"], peers.calls["EvaluateReward"]) == (1, 2, 2)
    assert replied.scan.reward.outcome == Reward.OUTCOME_GRANTED
    assert await client.get(scan.scan_id) == replied.scan


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


async def test_a_reply_whose_reward_fails_is_answered_and_its_reward_comes_later(
    client: Client, peers: Peers, asked: scan_pb2.Scan
) -> None:
    """Whatever Character does, the answer stands; and half a reply would lose the character for ever."""
    gate = peers.before["EvaluateReward"] = Gate()
    replied = await client.reply(asked.scan_id, "투명")
    assert (replied.understood, list(replied.scan.answer.insufficiencies)) == (True, [])
    assert replied.scan.reward.outcome == Reward.OUTCOME_INSUFFICIENT
    gate.open()

    async def granted() -> bool:
        return (await client.get(asked.scan_id)).reward.outcome == Reward.OUTCOME_GRANTED

    await eventually(granted)
    assert (await client.get(asked.scan_id)).version > replied.scan.version
    assert peers.calls["ComposeAnswer"] == 2
