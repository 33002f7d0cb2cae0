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
from tests.integration.scan.jobs import UNAVAILABLE
from tests.integration.scan.webhook_receiver import HOST, Post, answers, open_post
from tests.support.waiting import eventually


@pytest.fixture
async def post(database_url: str) -> AsyncIterator[Post]:
    """A post office of the test's own."""
    async with open_post(database_url) as post:
        yield post


async def test_a_late_write_is_fenced(post: Post) -> None:
    """A worker that was frozen during its call mustn't undo what another one has done since."""
    post.receivers.answers[HOST] = answers(500, 200)
    scan_id = await post.ended_scan()
    (late,) = await post.claim()
    await post.pool.execute("update scan.job set state = 'READY', token = token + 1, attempt = attempt - 1")
    (current,) = await post.claim()
    await post.delivery(late).run()
    assert await post.jobs() == [("LEASED", 1)]
    await post.delivery(current).run()
    assert [one.status for one in (await post.record(scan_id)).attempts] == [200]


async def test_a_webhook_is_claimed_by_one_worker_that_lives(post: Post) -> None:
    """The same rules as for scans: rows that are locked are skipped, and the dead take nothing."""
    for _ in range(20):
        await post.ended_scan()
    assert await post.store.claim(10_000, 16) == []
    claims = await asyncio.gather(*(post.store.claim(post.worker_id, 8) for _ in range(4)))
    jobs = [lease.job_id for leases in claims for lease in leases]
    assert len(jobs) == len(set(jobs)) == 20


async def test_a_worker_that_leaves_returns_the_attempt(post: Post) -> None:
    """A deployment must not cost a receiver one of its tries."""
    await post.ended_scan()
    (lease,) = await post.claim()
    await post.delivery(lease).release()
    assert await post.jobs() == [("READY", 0)]
    assert await post.deliver() == 1


async def test_a_webhook_isnt_given_back_for_ever(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    """The database is away and the process has to go: whoever reaps it takes the webhook over."""
    await post.ended_scan()
    (lease,) = await post.claim()

    async def away(*_: object) -> None:
        raise ConnectionError("away")

    monkeypatch.setattr(post.store, "put_back", away)
    monkeypatch.setattr("scan_svc.webhooks.delivery._GOODBYE_SECONDS", 0.1)
    async with asyncio.timeout(10):
        await post.delivery(lease).release()
    assert await post.jobs() == [("LEASED", 1)]


async def test_a_slow_receiver_doesnt_hold_the_places_of_others(post: Post) -> None:
    """It gets some; the rest of what is meant for it waits, untried, and whoever comes next has room."""
    released = asyncio.Event()

    async def slow() -> httpx2.Response:
        await released.wait()
        return httpx2.Response(200)

    post.receivers.answers["slow.example.com"] = [slow]
    for _ in range(12):
        await post.ended_scan("slow.example.com")
    quick = await post.ended_scan()
    delivering = asyncio.create_task(post.deliver())

    async def others_have_room() -> bool:
        waiting = (await post.jobs()).count(("READY", 0))
        return waiting == 8 and (await post.record(quick)).state is DeliveryState.DELIVERED

    await eventually(others_have_room)
    assert len(post.receivers.received["slow.example.com"]) == 4
    released.set()
    await delivering
    while await post.skip_to_next():
        await post.deliver()
    assert len(post.receivers.received["slow.example.com"]) == 12


async def test_a_replay_that_fails_again_isnt_told_again(post: Post) -> None:
    """Receivers know that it failed; only a success would be news."""
    scan_id = await post.ended_scan(state="FAILED")
    await post.deliver()
    queue = JobQueue(post.pool)
    insert = "insert into scan.job (kind, ref, state, stage) values ('scan', $1, 'READY', 'vision')"
    await post.pool.execute(insert, scan_id)
    (lease,) = await queue.claim(post.worker_id, 1)
    await queue.fail(lease, UNAVAILABLE, replayable=True)
    assert await post.deliver() == 0
    assert len(post.receivers.received[HOST]) == 1


async def test_the_end_of_a_scan_that_crashes_its_workers_is_told(post: Post) -> None:
    """Nobody is left to end it but the reaper."""
    scan_id = await post.ended_scan(state="FAILED")
    await post.pool.execute("delete from scan.webhook")
    await post.pool.execute("update scan.scan set state = 'QUEUED'")
    await post.pool.execute(
        """insert into scan.job (kind, ref, state, stage, crashes, worker_id)
           values ('scan', $1, 'LEASED', 'vision', 4, 0)""",
        scan_id,
    )
    assert await WorkerRegistry(post.pool).rescue_orphans(60.0) == [scan_id]
    assert await post.deliver() == 1
    assert (await post.record(scan_id)).event is WebhookEvent.FAILED


async def test_a_failure_that_is_being_replayed_waits_for_its_end(post: Post) -> None:
    """Telling "failed" of a scan at work would be wrong, and dropping it too: it may fail again."""
    scan_id = await post.ended_scan(state="FAILED")
    await post.pool.execute("update scan.scan set state = 'QUEUED'")
    await post.deliver()
    assert await post.jobs() == [("READY", 0)]
    await post.pool.execute("update scan.scan set state = 'FAILED'")
    assert await post.skip_to_next()
    await post.deliver()
    assert (await post.record(scan_id)).state is DeliveryState.DELIVERED


async def test_a_failure_that_was_mended_is_not_told(post: Post) -> None:
    """scan.succeeded comes by itself; the old news would arrive after the new."""
    scan_id = await post.ended_scan(state="FAILED")
    await post.pool.execute("update scan.scan set state = 'SUCCEEDED'")
    await post.deliver()
    assert not post.receivers.received
    record = await post.record(scan_id)
    assert (record.state, record.attempts[-1].error) == (DeliveryState.STOPPED, "scan moved on")


async def test_a_deleted_scan_takes_its_webhooks_with_it(post: Post) -> None:
    """Job and log too, in whatever state, and whoever is at it is fenced."""
    post.receivers.answers[HOST] = answers(500)
    await post.ended_scan()
    (lease,) = await post.claim()
    await post.pool.execute("delete from scan.scan")
    await post.delivery(lease).run()
    assert await post.jobs() == []
    assert await post.pool.fetchval("select count(*) from scan.webhook_attempt") == 0


async def test_a_fault_of_ours_is_a_failed_try(post: Post) -> None:
    """A scan that can't be shown must not go round for ever."""
    scan_id = await post.ended_scan()
    await post.pool.execute("update scan.webhook_endpoint set secret = 'whsec_!'")
    await post.deliver()
    assert await post.jobs() == [("READY", 1)]
    assert (await post.record(scan_id)).attempts[-1].error == "EmptyWebhookSecretError"


async def test_a_webhook_that_cant_be_read_is_a_failed_try(post: Post) -> None:
    """Its scan may be a newer release's, whose workers can; the others of its claim are delivered."""
    strange = await post.ended_scan()
    await post.pool.execute("update scan.scan set locale = 'of the next release'")
    other = await post.ended_scan()
    assert await post.deliver() == 1
    assert (await post.record(other)).state is DeliveryState.DELIVERED
    assert [one.error for one in (await post.record(strange)).attempts] == ["unreadable"]
    assert await post.jobs() == [("READY", 1)]


@pytest.mark.parametrize("before", [200, 410, 500])
async def test_an_operator_can_have_a_webhook_delivered_again(post: Post, before: int) -> None:
    """Whatever became of it: delivered, refused or exhausted; with the same id and a fresh schedule."""
    post.receivers.answers[HOST] = [*answers(before)]
    scan_id = await post.ended_scan()
    while await post.skip_to_next():
        await post.deliver()
    webhook_id = (await post.record(scan_id)).webhook_id
    await post.pool.execute("update scan.webhook set queued_at = queued_at - interval '1 week'")
    post.receivers.answers[HOST] = answers(500, 200)
    await post.store.redeliver(webhook_id)
    assert await post.deliver() == 1
    assert await post.jobs() == [("READY", 1)]
    assert await post.skip_to_next()
    assert await post.deliver() == 1
    record = await post.record(scan_id)
    assert (record.state, record.attempts[-1].number) == (DeliveryState.DELIVERED, 2)
    assert {one.headers["webhook-id"] for one in post.receivers.received[HOST]} == {webhook_id}


async def test_redelivery_leaves_a_delivery_at_work_alone(post: Post) -> None:
    """It is what was asked for; a second one beside it would fence it after its receiver has taken it."""
    scan_id = await post.ended_scan()
    (lease,) = await post.claim()
    await post.store.redeliver(lease.webhook.webhook_id)
    await post.delivery(lease).run()
    assert (await post.record(scan_id)).state is DeliveryState.DELIVERED
    assert await post.jobs() == []


async def test_redelivery_during_the_last_try_is_another_try(post: Post) -> None:
    """It is accepted, so a failure of the try that is at work must not be the end of it."""
    post.receivers.answers[HOST] = answers(500, 200)
    scan_id = await post.ended_scan()
    await post.pool.execute("update scan.job set attempt = 6")
    (last,) = await post.claim()
    await post.store.redeliver(last.webhook.webhook_id)
    await post.delivery(last).run()
    assert await post.deliver() == 1
    record = await post.record(scan_id)
    assert record.state is DeliveryState.DELIVERED
    assert [(one.number, one.status) for one in record.attempts] == [(7, 500), (1, 200)]


async def test_a_redelivery_that_is_given_back_keeps_all_its_tries(post: Post) -> None:
    """The try at work wasn't one of them."""
    await post.ended_scan()
    (lease,) = await post.claim()
    await post.store.redeliver(lease.webhook.webhook_id)
    await post.delivery(lease).release()
    assert await post.jobs() == [("READY", 0)]


async def test_an_unknown_webhook_is_not_found(post: Post) -> None:
    """A typing error of an operator."""
    with pytest.raises(NotFound) as caught:
        await post.store.redeliver(str(uuid.uuid4()))
    assert caught.value.reason is Reason.WEBHOOK_NOT_FOUND
