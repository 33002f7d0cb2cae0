"""Webhooks as durable jobs: claimed, fenced, given back, overtaken, deleted, delivered again."""

import asyncio
import uuid
from collections.abc import AsyncIterator

import httpx2
import pytest

from mesh.errors import NotFound
from mesh.reasons import Reason
from scan_svc.jobs.queue import JobQueue
from scan_svc.jobs.workers import WorkerRegistry
from scan_svc.webhooks.message import DeliveryState, WebhookEvent
from tests.integration.scan.job_tables import UNAVAILABLE
from tests.integration.scan.webhooks.sender import USER, WebhookSender, open_sender
from tests.support.waiting import eventually
from tests.support.webhook_receivers import HOST, answers


@pytest.fixture
async def sender(database_url: str) -> AsyncIterator[WebhookSender]:
    """A sender of the test's own."""
    async with open_sender(database_url) as sender:
        yield sender


async def test_a_late_write_is_fenced(sender: WebhookSender) -> None:
    """A worker that was frozen during its call mustn't undo what another one has done since."""
    sender.receivers.answers[HOST] = answers(500, 200)
    scan_id = await sender.ended_scan()
    (late,) = await sender.claim()
    await sender.pool.execute("update scan.job set state = 'READY', token = token + 1, attempt = attempt - 1")
    (current,) = await sender.claim()
    await sender.delivery(late).run()
    assert await sender.jobs() == [("LEASED", 1)]
    await sender.delivery(current).run()
    assert [one.status for one in (await sender.record(scan_id)).attempts] == [200]


async def test_a_webhook_is_claimed_by_one_worker_that_lives(sender: WebhookSender) -> None:
    """The same rules as for scans: rows that are locked are skipped, and the dead take nothing."""
    for _ in range(20):
        await sender.ended_scan()
    assert await sender.store.claim(10_000, 16) == []
    claims = await asyncio.gather(*(sender.store.claim(sender.worker_id, 8) for _ in range(4)))
    jobs = [lease.job_id for leases in claims for lease in leases]
    assert len(jobs) == len(set(jobs)) == 20


async def test_a_user_who_has_enough_deliveries_is_left_out(sender: WebhookSender) -> None:
    """Whoever has many slow receivers must not have all of a worker; a redelivery knows its user as well."""
    scan_id = await sender.ended_scan()
    assert await sender.store.claim(sender.worker_id, 16, [USER]) == []
    assert [lease.user_id for lease in await sender.store.claim(sender.worker_id, 16, ["another"])] == [USER]
    await sender.pool.execute("delete from scan.job")
    await sender.store.redeliver((await sender.record(scan_id)).webhook_id)
    assert await sender.store.claim(sender.worker_id, 16, [USER]) == []
    assert len(await sender.claim()) == 1


async def test_a_worker_that_leaves_returns_the_attempt(sender: WebhookSender) -> None:
    """A deployment must not cost a receiver one of its tries."""
    await sender.ended_scan()
    (lease,) = await sender.claim()
    await sender.delivery(lease).release()
    assert await sender.jobs() == [("READY", 0)]
    assert await sender.deliver() == 1


async def test_a_webhook_isnt_given_back_for_ever(sender: WebhookSender, monkeypatch: pytest.MonkeyPatch) -> None:
    """The database is away and the process has to go: whoever reaps it takes the webhook over."""
    await sender.ended_scan()
    (lease,) = await sender.claim()

    async def away(*_: object) -> None:
        raise ConnectionError("away")

    monkeypatch.setattr(sender.store, "release", away)
    monkeypatch.setattr("scan_svc.webhooks.delivery._RELEASE_SECONDS", 0.1)
    async with asyncio.timeout(10):
        await sender.delivery(lease).release()
    assert await sender.jobs() == [("LEASED", 1)]


async def test_a_slow_receiver_doesnt_hold_the_places_of_others(sender: WebhookSender) -> None:
    """It gets some; the rest of what is meant for it waits, untried, and whoever comes next has room."""
    released = asyncio.Event()

    async def slow() -> httpx2.Response:
        await released.wait()
        return httpx2.Response(200)

    sender.receivers.answers["slow.example.com"] = [slow]
    for _ in range(12):
        await sender.ended_scan("slow.example.com")
    quick = await sender.ended_scan()
    delivering = asyncio.create_task(sender.deliver())

    async def others_have_room() -> bool:
        waiting = (await sender.jobs()).count(("READY", 0))
        return waiting == 8 and (await sender.record(quick)).state is DeliveryState.DELIVERED

    await eventually(others_have_room)
    assert len(sender.receivers.received["slow.example.com"]) == 4
    released.set()
    await delivering
    while await sender.skip_to_next():
        await sender.deliver()
    assert len(sender.receivers.received["slow.example.com"]) == 12


async def test_a_replay_that_fails_again_isnt_told_again(sender: WebhookSender) -> None:
    """Receivers know that it failed; only a success would be news."""
    scan_id = await sender.ended_scan(state="FAILED")
    await sender.deliver()
    queue = JobQueue(sender.pool)
    insert = "insert into scan.job (kind, ref, state, stage) values ('scan', $1, 'READY', 'vision')"
    await sender.pool.execute(insert, scan_id)
    (lease,) = await queue.claim(sender.worker_id, 1)
    await queue.fail(lease, UNAVAILABLE, replayable=True)
    assert await sender.deliver() == 0
    assert len(sender.receivers.received[HOST]) == 1


async def test_the_end_of_a_scan_that_crashes_its_workers_is_told(sender: WebhookSender) -> None:
    """Nobody is left to end it but the reaper."""
    scan_id = await sender.ended_scan(state="FAILED")
    await sender.pool.execute("delete from scan.webhook")
    await sender.pool.execute("update scan.scan set state = 'QUEUED'")
    await sender.pool.execute(
        """insert into scan.job (kind, ref, state, stage, crashes, worker_id)
           values ('scan', $1, 'LEASED', 'vision', 4, 0)""",
        scan_id,
    )
    assert await WorkerRegistry(sender.pool).rescue_orphans(60.0) == [scan_id]
    assert await sender.deliver() == 1
    assert (await sender.record(scan_id)).event is WebhookEvent.FAILED


async def test_a_failure_that_is_being_replayed_waits_for_its_end(sender: WebhookSender) -> None:
    """Telling "failed" of a scan at work would be wrong, and dropping it too: it may fail again."""
    scan_id = await sender.ended_scan(state="FAILED")
    await sender.pool.execute("update scan.scan set state = 'QUEUED'")
    await sender.deliver()
    assert await sender.jobs() == [("READY", 0)]
    await sender.pool.execute("update scan.scan set state = 'FAILED'")
    assert await sender.skip_to_next()
    await sender.deliver()
    assert (await sender.record(scan_id)).state is DeliveryState.DELIVERED


async def test_a_failure_that_was_mended_is_not_told(sender: WebhookSender) -> None:
    """scan.succeeded comes by itself; the old news would arrive after the new."""
    scan_id = await sender.ended_scan(state="FAILED")
    await sender.pool.execute("update scan.scan set state = 'SUCCEEDED'")
    await sender.deliver()
    assert not sender.receivers.received
    record = await sender.record(scan_id)
    assert (record.state, record.attempts[-1].error) == (DeliveryState.STOPPED, "scan moved on")


async def test_a_deleted_scan_takes_its_webhooks_with_it(sender: WebhookSender) -> None:
    """Job and log too, in whatever state, and whoever is at it is fenced."""
    sender.receivers.answers[HOST] = answers(500)
    await sender.ended_scan()
    (lease,) = await sender.claim()
    await sender.pool.execute("delete from scan.scan")
    await sender.delivery(lease).run()
    assert await sender.jobs() == []
    assert await sender.pool.fetchval("select count(*) from scan.webhook_attempt") == 0


async def test_a_fault_of_ours_is_a_failed_try(sender: WebhookSender) -> None:
    """A scan that can't be shown must not go round for ever."""
    scan_id = await sender.ended_scan()
    await sender.pool.execute("update scan.webhook_endpoint set secret = 'whsec_!'")
    await sender.deliver()
    assert await sender.jobs() == [("READY", 1)]
    assert (await sender.record(scan_id)).attempts[-1].error == "EmptyWebhookSecretError"


async def test_a_webhook_that_cant_be_read_is_a_failed_try(sender: WebhookSender) -> None:
    """Its scan may be a newer release's, whose workers can; the others of its claim are delivered."""
    strange = await sender.ended_scan()
    await sender.pool.execute("update scan.scan set locale = 'of the next release'")
    other = await sender.ended_scan()
    assert await sender.deliver() == 1
    assert (await sender.record(other)).state is DeliveryState.DELIVERED
    assert [one.error for one in (await sender.record(strange)).attempts] == ["unreadable"]
    assert await sender.jobs() == [("READY", 1)]


@pytest.mark.parametrize("before", [200, 410, 500])
async def test_an_operator_can_have_a_webhook_delivered_again(sender: WebhookSender, before: int) -> None:
    """Whatever became of it: delivered, refused or exhausted; with the same id and a fresh schedule."""
    sender.receivers.answers[HOST] = [*answers(before)]
    scan_id = await sender.ended_scan()
    while await sender.skip_to_next():
        await sender.deliver()
    webhook_id = (await sender.record(scan_id)).webhook_id
    await sender.pool.execute("update scan.webhook set queued_at = queued_at - interval '1 week'")
    sender.receivers.answers[HOST] = answers(500, 200)
    await sender.store.redeliver(webhook_id)
    assert await sender.deliver() == 1
    assert await sender.jobs() == [("READY", 1)]
    assert await sender.skip_to_next()
    assert await sender.deliver() == 1
    record = await sender.record(scan_id)
    assert (record.state, record.attempts[-1].number) == (DeliveryState.DELIVERED, 2)
    assert {one.headers["webhook-id"] for one in sender.receivers.received[HOST]} == {webhook_id}


async def test_redelivery_leaves_a_delivery_at_work_alone(sender: WebhookSender) -> None:
    """It is what was asked for; a second one beside it would fence it after its receiver has taken it."""
    scan_id = await sender.ended_scan()
    (lease,) = await sender.claim()
    await sender.store.redeliver(lease.webhook.webhook_id)
    await sender.delivery(lease).run()
    assert (await sender.record(scan_id)).state is DeliveryState.DELIVERED
    assert await sender.jobs() == []


async def test_redelivery_during_the_last_try_is_another_try(sender: WebhookSender) -> None:
    """It is accepted, so a failure of the try that is at work must not be the end of it."""
    sender.receivers.answers[HOST] = answers(500, 200)
    scan_id = await sender.ended_scan()
    await sender.pool.execute("update scan.job set attempt = 6")
    (last,) = await sender.claim()
    await sender.store.redeliver(last.webhook.webhook_id)
    await sender.delivery(last).run()
    assert await sender.deliver() == 1
    record = await sender.record(scan_id)
    assert record.state is DeliveryState.DELIVERED
    assert [(one.number, one.status) for one in record.attempts] == [(7, 500), (1, 200)]


async def test_a_redelivery_that_is_given_back_keeps_all_its_tries(sender: WebhookSender) -> None:
    """The try at work wasn't one of them."""
    await sender.ended_scan()
    (lease,) = await sender.claim()
    await sender.store.redeliver(lease.webhook.webhook_id)
    await sender.delivery(lease).release()
    assert await sender.jobs() == [("READY", 0)]


async def test_an_unknown_webhook_is_not_found(sender: WebhookSender) -> None:
    """A typing error of an operator."""
    with pytest.raises(NotFound) as caught:
        await sender.store.redeliver(str(uuid.uuid4()))
    assert caught.value.reason is Reason.WEBHOOK_NOT_FOUND
