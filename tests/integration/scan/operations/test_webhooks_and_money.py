"""Webhooks of all scans, the day's money, and who has changed what."""

from typing import Any

import structlog

from eco2.scan.v1 import operations_service_pb2 as pb
from eco2.scan.v1.operations_service_pb2 import WebhookDelivery
from mesh.grpc.identity import USER_HEADER
from tests.integration.scan.client import Client
from tests.integration.scan.job_tables import Jobs
from tests.support.scan.peer_servicers import Peers

USAGE = {"model": "gpt", "input_tokens": 100, "output_tokens": 10, "cost_micro_usd": 420, "calls": 1}


async def test_webhooks_are_found_by_state(duty: Any, jobs: Jobs) -> None:
    """Newest first, each with its last tries and the scan it tells of."""
    scan_ids = [await jobs.scan() for _ in range(4)]
    states = ("READY", "DEAD", "DEAD", "READY")
    pending, exhausted, stopped, delivered = [
        await jobs.webhook(scan_id, state) for scan_id, state in zip(scan_ids, states, strict=True)
    ]
    for webhook_id in (stopped, delivered):
        await jobs.database.execute("delete from scan.job where ref = $1", webhook_id)
    await jobs.database.execute("update scan.webhook_attempt set error = '' where webhook_id = $1", delivered)

    async def listed(state: Any = WebhookDelivery.STATE_UNSPECIFIED, size: int = 0, token: str = "") -> Any:
        return await duty.ListWebhooks(pb.ListWebhooksRequest(state=state, page_size=size, page_token=token))

    everything = await listed()
    assert [one.webhook_id for one in everything.webhooks] == [delivered, stopped, exhausted, pending]
    assert [one.scan_id for one in everything.webhooks] == scan_ids[::-1]
    assert [attempt.error for attempt in everything.webhooks[1].attempts] == ["http 503"]
    for state, webhook_id in {
        WebhookDelivery.STATE_PENDING: pending,
        WebhookDelivery.STATE_EXHAUSTED: exhausted,
        WebhookDelivery.STATE_STOPPED: stopped,
        WebhookDelivery.STATE_DELIVERED: delivered,
    }.items():
        assert [one.webhook_id for one in (await listed(state)).webhooks] == [webhook_id]
    first = await listed(size=3)
    rest = await listed(size=3, token=first.next_page_token)
    assert [one.webhook_id for one in rest.webhooks] == [pending]
    assert not rest.next_page_token


async def test_the_days_money_is_told_by_model_and_stage(client: Client, duty: Any, peers: Peers, jobs: Jobs) -> None:
    """As the budget counts it: finished and deleted scans, and what replies have cost."""
    peers.usage = USAGE
    for _ in range(2):
        await client.finished(await client.started())
    deleted = await client.finished(await client.started())
    await client.delete(deleted.scan_id)
    await jobs.database.execute("insert into scan.reply_cost (user_id, micro_usd) values ('user', 5)")
    money = await duty.GetModelSpending(pb.GetModelSpendingRequest())
    by_stage = {(one.model, one.stage): one for one in money.models}
    assert set(by_stage) == {("gpt", "vision"), ("gpt", "answer"), ("", "reply")}
    for stage in ("vision", "answer"):
        spent = by_stage["gpt", stage]
        assert (spent.calls, spent.input_tokens, spent.output_tokens, spent.cost_micro_usd) == (3, 300, 30, 1260)
    assert (money.spent_micro_usd, money.budget_micro_usd) == (2525, 5_000_000)
    assert not money.HasField("user_budget_micro_usd")


async def test_who_has_changed_what_is_written_down(duty: Any, jobs: Jobs) -> None:
    """One line for each scan and webhook, also when many are replayed by one call."""
    replayed, archived = await jobs.add(), await jobs.add()
    many = {await jobs.add(stage="vision") for _ in range(2)}
    webhook_id = await jobs.webhook(archived, "DEAD")
    by_kim = ((USER_HEADER, "kim@duty"),)
    with structlog.testing.capture_logs() as lines:
        await duty.ReplayScan(pb.ReplayScanRequest(scan_id=replayed), metadata=by_kim)
        await duty.ReplayDeadLetters(pb.ReplayDeadLettersRequest(stage="vision"), metadata=by_kim)
        await duty.ArchiveScan(pb.ArchiveScanRequest(scan_id=archived))
        await duty.RedeliverWebhook(pb.RedeliverWebhookRequest(webhook_id=webhook_id), metadata=by_kim)
    noted = [line for line in lines if "operator" in line]
    assert {(line["event"], line["scan_id"]) for line in noted if "scan_id" in line} == {
        ("dead letter replayed", replayed),
        *(("dead letter replayed", scan_id) for scan_id in many),
        ("dead letter archived", archived),
    }
    assert [line["webhook_id"] for line in noted if line["event"] == "webhook delivered again"] == [webhook_id]
    unnamed = [line["event"] for line in noted if line["operator"] != "kim@duty"]
    assert unnamed == ["dead letter archived"]
