"""One reply at work for a scan, in all processes; what was paid for is stored, whatever happens meanwhile."""

import asyncio
import json
import uuid
from typing import Any

import grpc
import pytest

from eco2.scan.v1 import scan_pb2
from eco2.scan.v1.scan_service_pb2 import AnswerQuestionRequest
from mesh.grpc.status import from_rpc_error
from mesh.postgres import open_pool
from mesh.reasons import Reason
from scan_svc.replies.store import Reply, ReplyStore
from scan_svc.results import Results
from scan_svc.scans import StageRun
from scan_svc.store import ScanStore
from tests.integration.scan.client import Client, StartScanService
from tests.integration.scan.replies.asking import asked_of, refusal
from tests.support.gates import Gate
from tests.support.scan.peer_servicers import Peers

USAGE = {"model": "gpt", "input_tokens": 100, "output_tokens": 10, "cost_micro_usd": 420, "calls": 1}
UNDERWAY = (grpc.StatusCode.ABORTED, Reason.REPLY_UNDERWAY)


async def test_of_replies_at_once_one_is_worked_on_and_paid_for(
    start_scan_service: StartScanService, peers: Peers
) -> None:
    """In all processes together; the others are told to come back, before anything is paid for them."""
    user, gate = f"user-{uuid.uuid4().hex}", Gate()
    async with start_scan_service(user) as one, start_scan_service(user, scan_role="api") as other:
        scan = await asked_of(one, peers)
        peers.before["ComposeAnswer"] = gate
        replies = [asyncio.create_task(client.reply(scan.scan_id, "투명")) for client in (one, other) * 10]
        outcomes = asyncio.gather(*replies, return_exceptions=True)
        await gate.held(1)
        at_work = set(replies)
        while len(at_work) > 1:
            _, at_work = await asyncio.wait(at_work, return_when=asyncio.FIRST_COMPLETED)
        gate.open()
        refused = [outcome for outcome in await outcomes if isinstance(outcome, grpc.aio.AioRpcError)]
        assert len(refused) == 19
        reasons = {from_rpc_error(error, "scan").reason for error in refused}
        assert reasons == {Reason.REPLY_UNDERWAY}
        assert from_rpc_error(refused[0], "scan").retry_after
        assert peers.calls["ComposeAnswer"] == 2
        assert (await one.get(scan.scan_id)).version == scan.version + 1


async def test_repetitions_wait_for_the_same_request_at_work(
    start_scan_service: StartScanService, peers: Peers
) -> None:
    """Through whichever replica; all are told the same, and it is paid once."""
    user, request_id, gate = f"user-{uuid.uuid4().hex}", str(uuid.uuid4()), Gate()
    async with start_scan_service(user) as one, start_scan_service(user, scan_role="api") as other:
        scan = await asked_of(one, peers)
        peers.before["ComposeAnswer"] = gate
        replies = [asyncio.create_task(client.reply(scan.scan_id, "투명", request_id)) for client in (one, other) * 15]
        await gate.held(1)
        code, reason = await refusal(other.reply(scan.scan_id, "초록", request_id))
        assert (code, reason) == (grpc.StatusCode.ALREADY_EXISTS, Reason.REQUEST_ID_REUSED)
        gate.open()
        outcomes = await asyncio.gather(*replies)
        assert all(outcome == outcomes[0] for outcome in outcomes)
        assert (peers.calls["InterpretReply"], peers.calls["ComposeAnswer"]) == (1, 2)


@pytest.mark.parametrize("leaving", ["hangs up", "deadline"])
async def test_what_was_begun_for_a_caller_who_left_is_finished_and_kept(
    client: Client, peers: Peers, asked: scan_pb2.Scan, leaving: str
) -> None:
    """The model is paid either way, so its answer isn't thrown away, and its cost stands in the scan's books."""
    gate, request_id, peers.usage = Gate(), str(uuid.uuid4()), USAGE
    peers.before["ComposeAnswer"] = gate
    request = AnswerQuestionRequest(scan_id=asked.scan_id, reply="투명", request_id=request_id)
    timeout = 0.5 if leaving == "deadline" else None
    call = client.stub.AnswerQuestion(request, metadata=client.metadata, timeout=timeout)
    await gate.held(1)
    if leaving == "hangs up":
        call.cancel()
    await call.code()
    gate.open()
    scan = (await client.reply(asked.scan_id, "투명", request_id)).scan
    assert not scan.answer.insufficiencies
    assert scan.stages[-1].usage.cost_micro_usd == USAGE["cost_micro_usd"]
    assert peers.calls["ComposeAnswer"] == 2


async def test_what_was_paid_for_is_stored_once_the_database_is_back(
    client: Client, peers: Peers, asked: scan_pb2.Scan, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An outage between paying and storing costs a wait, not a second payment."""
    outages, sharpen = iter(range(3)), ReplyStore.apply

    async def away_at_first(store: ReplyStore, *arguments: Any, **named: Any) -> bool:
        if next(outages, None) is not None:
            raise ConnectionRefusedError
        return await sharpen(store, *arguments, **named)

    monkeypatch.setattr(ReplyStore, "apply", away_at_first)
    monkeypatch.setattr("mesh.outages._PAUSE_SECONDS", 0.01)
    assert (await client.reply(asked.scan_id, "투명")).understood
    assert peers.calls["ComposeAnswer"] == 2


async def test_a_reply_that_was_stored_is_known_though_nobody_heard_of_its_commit(
    client: Client, peers: Peers, asked: scan_pb2.Scan, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A connection lost at COMMIT says nothing of its outcome."""
    losses, sharpen = iter(range(1)), ReplyStore.apply

    async def lost(store: ReplyStore, *arguments: Any, **named: Any) -> bool:
        stored = await sharpen(store, *arguments, **named)
        if next(losses, None) is not None:
            raise ConnectionResetError
        return stored

    monkeypatch.setattr(ReplyStore, "apply", lost)
    monkeypatch.setattr("mesh.outages._PAUSE_SECONDS", 0.01)
    assert (await client.reply(asked.scan_id, "투명")).understood
    assert (await client.get(asked.scan_id)).version == asked.version + 1
    assert peers.calls["ComposeAnswer"] == 2


async def test_a_process_that_died_at_a_reply_holds_the_next_one_up_for_a_lease(
    client: Client, peers: Peers, asked: scan_pb2.Scan, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever wants an expired lease contests it first: after an outage its holder, who has paid, is to come first."""
    monkeypatch.setattr("scan_svc.replies.store.CONTEST_SECONDS", 0.5)
    async with open_pool(database_url) as pool:
        store, scan = ReplyStore(pool), await ScanStore(pool).get(asked.scan_id)
        lease = await store.reserve(scan, "투명", "one")
        assert lease
        assert await refusal(client.reply(asked.scan_id, "투명")) == UNDERWAY
        await pool.execute("update scan.reply_lease set expires_at = now() - interval '1 hour'")
        assert await refusal(client.reply(asked.scan_id, "투명")) == UNDERWAY
        assert await store.renew(lease)  # it is back
        assert await refusal(client.reply(asked.scan_id, "투명")) == UNDERWAY
        await pool.execute("update scan.reply_lease set expires_at = now() - interval '1 hour'")
        assert (
            await client.reply(asked.scan_id, "투명", "one")
        ).understood  # waits for its own request, then takes over
        assert not await store.renew(lease)
        assert not await store.apply(
            lease, Results(), StageRun("reply", 1, 0), "", Reply("투명", understood=True, message="")
        )
    assert peers.calls["ComposeAnswer"] == 2


async def test_what_a_reply_cost_whose_scan_was_deleted_stays_for_billing(
    client: Client, peers: Peers, asked: scan_pb2.Scan, database_url: str
) -> None:
    """Its result is nobody's any more, its price is."""
    gate, peers.usage = Gate(), USAGE
    peers.before["ComposeAnswer"] = gate
    reply = asyncio.create_task(client.reply(asked.scan_id, "투명"))
    await gate.held(1)
    await client.delete(asked.scan_id)
    gate.open()
    assert await refusal(reply) == (grpc.StatusCode.NOT_FOUND, Reason.SCAN_NOT_FOUND)
    async with open_pool(database_url) as pool:
        usage = json.loads(await pool.fetchval("select usage from scan.tombstone where scan_id = $1", asked.scan_id))
    assert usage[-1]["usage"]["cost_micro_usd"] == USAGE["cost_micro_usd"]


async def test_a_reply_to_a_scan_that_is_deleted_meanwhile_is_not_found(
    client: Client, peers: Peers, asked: scan_pb2.Scan
) -> None:
    """Even one that nobody understood."""

    async def delete() -> None:
        await client.delete(asked.scan_id)

    peers.before["InterpretReply"] = delete
    assert await refusal(client.reply(asked.scan_id, "글쎄요")) == (grpc.StatusCode.NOT_FOUND, Reason.SCAN_NOT_FOUND)
