"""Reminders from their order to a browser that reads them, by receivers and a clock that a test moves."""

import functools
import json
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import Any

import asyncpg
import grpc
import httpx2
import pytest
import standardwebhooks
from cryptography.hazmat.primitives.asymmetric import ec
from pydantic import SecretStr

from eco2.jobs.v1 import jobs_service_pb2 as jobs_pb
from eco2.jobs.v1 import jobs_service_pb2_grpc
from eco2.jobs.v1.job_pb2 import Job
from eco2.jobs.v1.message_pb2 import MessageResult
from eco2.reminders.v1 import reminders_service_pb2 as pb
from eco2.reminders.v1 import reminders_service_pb2_grpc
from eco2.scan.v1.scan_service_pb2 import MarkPutOutRequest
from mesh.addresses import IPAddress, open_public_client
from mesh.grpc.identity import USER_HEADER
from mesh.reasons import Reason
from scan_svc.client_jobs.work import JobTypes
from scan_svc.job_types import JobTypeParts
from scan_svc.reminders.ics import SEOUL
from scan_svc.reminders.job_type import reminder_type
from scan_svc.reminders.vapid import encoded
from tests.integration.scan.client import Client, StartScanService, reason
from tests.support.browser_push import Browser
from tests.support.waiting import eventually
from tests.support.webhook_receivers import HOST, Receivers, answers

KEY = "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"
PUSH_HOST = "push.example.com"
NOON = datetime(2026, 12, 1, 12, tzinfo=SEOUL)
SEVEN = NOON.replace(hour=19)
ENDED = (Job.STATE_SUCCEEDED, Job.STATE_FAILED, Job.STATE_CANCELLED)
Delivery = MessageResult.Delivery


class Evening:
    """A user with a browser and a webhook, and the world around them."""

    def __init__(self) -> None:
        self.now = NOON
        self.browser = Browser(ec.generate_private_key(ec.SECP256R1()), b"a" * 16)
        self.receivers = Receivers()
        self.receivers.answers[PUSH_HOST] = answers(201)
        self.names: Sequence[IPAddress] = [ip_address("93.184.215.14")]
        self.client: Client
        self.reminders: Any
        self.jobs: Any
        self.connection: asyncpg.Connection

    async def resolve(self, host: str, port: int) -> Sequence[IPAddress]:
        return self.names

    def types(self, parts: JobTypeParts) -> JobTypes:
        """Reminders, by this clock and to these receivers."""
        opened = functools.partial(
            open_public_client,
            *("subscription",),
            redirects=0,
            inner=httpx2.MockTransport(self.receivers),
            resolver=self.resolve,
        )
        kind = reminder_type(parts.settings, parts.pool, parts.scans, parts.peers.rules, lambda: self.now, opened)
        return JobTypes([kind])

    async def scanned(self, region: str = "마포구") -> str:
        scan_id = await self.client.started(region=region)
        await self.client.finished(scan_id)
        return scan_id

    async def subscribe(self, *, push: bool = True, webhook: bool = True) -> str:
        """Gives the webhook's secret."""
        secret = ""
        if push:
            keys = {"p256dh": encoded(self.browser.public), "auth": encoded(self.browser.auth)}
            await self._subscribe(push={"endpoint": f"https://{PUSH_HOST}/a", **keys})
        if webhook:
            secret = (await self._subscribe(webhook_url=f"https://{HOST}/eco2")).webhook_secret
        return secret

    async def _subscribe(self, **fields: Any) -> Any:
        request = pb.CreateSubscriptionRequest(**fields)
        return await self.reminders.CreateSubscription(request, metadata=self.client.metadata)

    async def hosts(self) -> list[str]:
        """Where the user is reminded."""
        listed = await self.reminders.ListSubscriptions(pb.ListSubscriptionsRequest(), metadata=self.client.metadata)
        return [one.address.removeprefix("https://").partition("/")[0] for one in listed.subscriptions]

    async def remind(self, scan_id: str, **fields: Any) -> Job:
        request = pb.RemindScanRequest(scan_id=scan_id, **fields)
        return await self.reminders.RemindScan(request, metadata=self.client.metadata)

    async def job(self, job_id: str) -> Job:
        return await self.jobs.GetJob(jobs_pb.GetJobRequest(job_id=job_id), metadata=self.client.metadata)

    async def move_to(self, moment: datetime) -> None:
        """The clock's and the queue's time. First the reminder has to be put back, for later than any test takes."""

        async def waits() -> bool:
            return bool(
                await self.connection.fetchval(
                    "select count(*) = 1 from scan.job"
                    " where kind = 'message' and state = 'READY' and run_at > now() + interval '5 minutes'"
                )
            )

        await eventually(waits)
        self.now = moment
        await self.connection.execute("update scan.job set run_at = now() where kind = 'message'")

    async def ended(self, job_id: str) -> Job:
        async def over() -> bool:
            return (await self.job(job_id)).state in ENDED

        await eventually(over)
        return await self.job(job_id)

    async def refused(self, scan_id: str, **fields: Any) -> str:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await self.remind(scan_id, **fields)
        return reason(caught.value)


@pytest.fixture
async def evening(start_scan_service: StartScanService, database_url: str) -> AsyncIterator[Evening]:
    """A day, at noon."""
    evening = Evening()
    evening.connection = await asyncpg.connect(database_url)
    try:
        async with (
            start_scan_service(job_types=evening.types, vapid_private_key=SecretStr(KEY)) as evening.client,
            grpc.aio.insecure_channel(evening.client.target) as channel,
        ):
            evening.reminders = reminders_service_pb2_grpc.RemindersServiceStub(channel)
            evening.jobs = jobs_service_pb2_grpc.JobsServiceStub(channel)
            yield evening
    finally:
        await evening.connection.close()


def outcomes(job: Job) -> dict[int, int]:
    return {one.channel: one.outcome for one in job.message_result.deliveries}


async def test_a_browser_and_a_webhook_are_told_in_the_evening(evening: Evening) -> None:
    """Once each, at seven, what to put out and where; nobody else can read it, and everybody can check who says so."""
    secret, scan_id = await evening.subscribe(), await evening.scanned()
    job = await evening.remind(scan_id)
    assert (job.kind, job.reminder.at.ToDatetime(UTC)) == (Job.KIND_MESSAGE, SEVEN)
    assert not evening.receivers.received
    await evening.move_to(SEVEN)
    ended = await evening.ended(job.job_id)
    assert (ended.state, ended.message_result.date) == (Job.STATE_SUCCEEDED, "2026-12-01")
    assert set(outcomes(ended).values()) == {Delivery.OUTCOME_SENT}
    (push,), (hook,) = evening.receivers.received[PUSH_HOST], evening.receivers.received[HOST]

    told = json.loads(evening.browser.read(push.content))
    assert (told["scan_id"], told["title"]) == (scan_id, "금속류, 내놓을 시간이에요")
    assert "캔 수거함" in told["body"]
    assert told["tag"] == push.headers["topic"]
    assert (push.headers["content-encoding"], push.headers["urgency"]) == ("aes128gcm", "normal")
    assert 0 < int(push.headers["ttl"]) <= 12 * 3600
    assert push.headers["authorization"].startswith("vapid t=")
    assert scan_id.encode() not in push.content

    verified = standardwebhooks.Webhook(secret)
    # The receiver's own clock is today's: what it checks beside the age is the signature.
    moment = datetime.fromtimestamp(int(hook.headers["webhook-timestamp"]), UTC)
    assert moment == SEVEN
    assert hook.headers["webhook-signature"] == verified.sign(
        hook.headers["webhook-id"], moment, hook.content.decode("utf-8")
    )
    body = json.loads(hook.content)
    assert (body["type"], body["data"]["scan_id"], body["data"]["date"]) == ("reminder.due", scan_id, "2026-12-01")


async def test_what_goes_out_later_is_told_later(evening: Evening) -> None:
    """On the evening that its district has for it, or when the user wants, and only how they want."""
    await evening.subscribe()
    job = await evening.remind(await evening.scanned("종로구"))
    assert job.reminder.at.ToDatetime(UTC) == SEVEN + timedelta(days=3)
    wanted = await evening.remind(await evening.scanned("노원구"), at=NOON + timedelta(hours=1), channels=[2])
    await evening.connection.execute("delete from scan.client_job where id = $1", job.job_id)
    await evening.move_to(NOON + timedelta(hours=1))
    assert outcomes(await evening.ended(wanted.job_id)) == {2: Delivery.OUTCOME_SENT}
    assert PUSH_HOST not in evening.receivers.received


async def test_asking_twice_is_one_reminder(evening: Evening) -> None:
    """However often a button is pressed."""
    await evening.subscribe()
    scan_id = await evening.scanned()
    first = await evening.remind(scan_id)
    assert (await evening.remind(scan_id.upper())).job_id == first.job_id


async def test_what_was_put_out_or_deleted_is_told_no_more(evening: Evening) -> None:
    """Its reminder is cancelled at once, and can be made anew for another scan alone."""
    await evening.subscribe()
    put_out, deleted = await evening.scanned(), await evening.scanned()
    jobs = [await evening.remind(scan_id) for scan_id in (put_out, deleted)]
    await evening.client.stub.MarkPutOut(MarkPutOutRequest(scan_id=put_out), metadata=evening.client.metadata)
    await evening.client.delete(deleted)
    for job in jobs:
        assert (await evening.job(job.job_id)).state == Job.STATE_CANCELLED
    assert await evening.refused(put_out) == Reason.PUT_OUT_ALREADY
    assert await evening.refused(deleted) == Reason.SCAN_NOT_FOUND


async def test_a_reminder_that_wasnt_cancelled_finds_out_itself(evening: Evening) -> None:
    """The process that put it out may have died before."""
    await evening.subscribe()
    scan_id = await evening.scanned()
    job = await evening.remind(scan_id)
    await evening.connection.execute("insert into scan.put_out (scan_id) values ($1)", scan_id)
    await evening.move_to(SEVEN)
    ended = await evening.ended(job.job_id)
    assert (ended.state, ended.message_result.reason) == (Job.STATE_SUCCEEDED, MessageResult.REASON_PUT_OUT)
    assert not evening.receivers.received


async def test_what_cant_be_told_is_refused_with_its_reason(evening: Evening) -> None:
    """When it is asked for, not in the evening."""
    known = await evening.scanned()
    assert await evening.refused(known) == Reason.NO_SUBSCRIPTION
    await evening.subscribe(push=False)
    assert await evening.refused(known, channels=[1]) == Reason.NO_SUBSCRIPTION
    assert await evening.refused(await evening.scanned("노원구")) == Reason.EVENING_UNKNOWN
    waiting = (await evening.client.create()).scan.scan_id
    assert await evening.refused(waiting) == Reason.SCAN_STATE
    for moment in (NOON - timedelta(seconds=1), NOON.replace(hour=23), NOON + timedelta(days=15)):
        assert await evening.refused(known, at=moment) == Reason.INVALID_FIELD
    evening.client.metadata = ((USER_HEADER, "stranger"),)
    assert await evening.refused(known) == Reason.SCAN_NOT_FOUND


@pytest.mark.parametrize(
    ("host", "status", "outcome", "kept"),
    [
        (PUSH_HOST, 404, Delivery.OUTCOME_GONE, False),
        (PUSH_HOST, 410, Delivery.OUTCOME_GONE, False),
        (PUSH_HOST, 403, Delivery.OUTCOME_REFUSED, True),
        (PUSH_HOST, 413, Delivery.OUTCOME_REFUSED, True),
        (HOST, 410, Delivery.OUTCOME_GONE, False),
    ],
)
async def test_a_subscription_that_is_over_is_removed(
    evening: Evening, host: str, status: int, outcome: int, kept: bool
) -> None:
    """And no other: what a receiver only refuses may be mended."""
    await evening.subscribe()
    evening.receivers.answers[host] = answers(status)
    job = await evening.remind(await evening.scanned())
    await evening.move_to(SEVEN)
    ended = await evening.ended(job.job_id)
    assert sorted(one.outcome for one in ended.message_result.deliveries) == sorted((Delivery.OUTCOME_SENT, outcome))
    assert (host in await evening.hosts()) is kept
    assert len(evening.receivers.received[host]) == 1


@pytest.mark.parametrize("status", [429, 503])
async def test_a_receiver_that_asks_for_time_gets_it(evening: Evening, status: int) -> None:
    """By Retry-After; then the same message again, which it can tell by its topic, and to nobody else."""
    await evening.subscribe()
    evening.receivers.answers[PUSH_HOST] = [*answers(status, retry_after="900"), *answers(201)]
    job = await evening.remind(await evening.scanned())
    await evening.move_to(SEVEN)

    async def waits() -> bool:
        wait = await evening.connection.fetchval(
            "select extract(epoch from run_at - now())::float8 from scan.job where kind = 'message' and state = 'READY'"
        )
        return len(evening.receivers.received[PUSH_HOST]) == 1 and wait is not None and 600 < wait <= 900

    await eventually(waits)
    await evening.move_to(SEVEN + timedelta(seconds=900))
    assert set(outcomes(await evening.ended(job.job_id)).values()) == {Delivery.OUTCOME_SENT}
    first, second = evening.receivers.received[PUSH_HOST]
    assert first.headers["topic"] == second.headers["topic"]
    assert evening.browser.read(first.content) == evening.browser.read(second.content)
    assert len(evening.receivers.received[HOST]) == 1


async def test_nobody_is_told_at_night(evening: Evening) -> None:
    """A receiver that asks for more time than the evening has isn't told any more."""
    await evening.subscribe(webhook=False)
    evening.receivers.answers[PUSH_HOST] = answers(503, retry_after="14400")
    job = await evening.remind(await evening.scanned())
    await evening.move_to(SEVEN)
    (delivery,) = (await evening.ended(job.job_id)).message_result.deliveries
    assert (delivery.outcome, delivery.status) == (Delivery.OUTCOME_FAILED, 503)


async def test_an_address_that_isnt_public_any_more_is_not_called(evening: Evening) -> None:
    """It is checked at the connection, too: a name may have moved."""
    await evening.subscribe()
    job = await evening.remind(await evening.scanned())
    evening.names = [ip_address("10.0.0.7")]
    await evening.move_to(SEVEN)
    assert set(outcomes(await evening.ended(job.job_id)).values()) == {Delivery.OUTCOME_REFUSED}
    assert not evening.receivers.received


async def test_an_evening_that_passed_unseen_is_told_at_the_next(evening: Evening) -> None:
    """Workers were away until midnight: it goes out tomorrow, too."""
    await evening.subscribe(webhook=False)
    job = await evening.remind(await evening.scanned())
    await evening.move_to(NOON.replace(hour=23))
    await evening.move_to(SEVEN + timedelta(days=1))
    ended = await evening.ended(job.job_id)
    assert (ended.message_result.date, set(outcomes(ended).values())) == ("2026-12-02", {Delivery.OUTCOME_SENT})
