"""Webhooks from a scan's end to their receivers."""

import asyncio
import json
import uuid
from collections import defaultdict
from collections.abc import AsyncIterator
from datetime import datetime, tzinfo
from ipaddress import ip_address
from typing import Any

import grpc
import httpx2
import pytest
import standardwebhooks
from google.protobuf import json_format

from eco2.compat.v1.compat_service_pb2 import TaskEnded
from eco2.scan.v1 import operations_service_pb2 as operations
from eco2.scan.v1.operations_service_pb2 import WebhookDelivery
from mesh.reasons import Reason
from scan_svc.webhooks.message import DeliveryState
from tests.integration.scan.client import Client, StartScanService, reason
from tests.integration.scan.webhooks.sender import USER, WebhookSender, open_sender
from tests.support.webhook_receivers import HOST, answers

HOUR = 3600.0


@pytest.fixture
async def sender(database_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[WebhookSender]:
    """A sender whose clock is also the receivers'."""
    async with open_sender(database_url) as sender:

        class Clock(datetime):
            @classmethod
            def now(cls, tz: tzinfo | None = None) -> Any:
                return sender.now

        monkeypatch.setattr("standardwebhooks.webhooks.datetime", Clock)
        yield sender


async def test_a_day_of_webhooks(sender: WebhookSender) -> None:
    """The whole contract with receivers: when they are tried, under which id, signed how, and when that stops."""
    sender.receivers.answers = {
        "deaf.example.com": answers(500),
        "busy.example.com": [*answers(503, 429, retry_after="3600"), *answers(204)],
        "leaving.example.com": answers(500, 410),
    }
    secrets, scans, called = {}, {}, defaultdict[str, list[float]](list)
    for host in sender.receivers.answers:
        scans[host] = await sender.ended_scan(host)
        secrets[host] = await sender.store.secret(USER, f"https://{host}/hook")

    while await sender.skip_to_next():
        assert await sender.deliver()
        for host, requests in sender.receivers.received.items():
            for request in requests[len(called[host]) :]:
                # Raises if id, time, body and signature don't belong together, or the time isn't now.
                told = standardwebhooks.Webhook(secrets[host]).verify(request.content, dict(request.headers))
                assert (told["type"], told["data"]["scan"]["scan_id"]) == ("scan.succeeded", scans[host])
                called[host].append((sender.now - sender.began).total_seconds())

    def about(*seconds: float) -> Any:
        return pytest.approx(seconds, abs=5)

    assert called["deaf.example.com"] == about(0, 5, 305, 2105, 9305, 27_305, 63_305)
    assert called["busy.example.com"] == about(0, HOUR, 2 * HOUR)
    assert called["leaving.example.com"] == about(0, 5)
    assert {host: (await sender.record(scan)).state for host, scan in scans.items()} == {
        "deaf.example.com": DeliveryState.EXHAUSTED,
        "busy.example.com": DeliveryState.DELIVERED,
        "leaving.example.com": DeliveryState.STOPPED,
    }
    ids = {
        host: {request.headers["webhook-id"] for request in all_} for host, all_ in sender.receivers.received.items()
    }
    assert ids == {host: {(await sender.record(scan)).webhook_id} for host, scan in scans.items()}
    log = (await sender.record(scans["busy.example.com"])).attempts
    assert [(one.number, one.status, one.error) for one in log] == [
        (1, 503, "http 503"),
        (2, 429, "http 429"),
        (3, 204, ""),
    ]
    assert await sender.jobs() == [("DEAD", 7)]


async def test_the_body_is_the_scan_as_rest_shows_it(sender: WebhookSender) -> None:
    """One shape for whoever polls and whoever is called."""
    scan_id = await sender.ended_scan()
    await sender.deliver()
    (request,) = sender.receivers.received[HOST]
    scan = json.loads(request.content)["data"]["scan"]
    assert (request.method, str(request.url.path), request.headers["content-type"]) == (
        "POST",
        "/hook",
        "application/json",
    )
    assert (scan["scan_id"], scan["state"], scan["user_input"]) == (scan_id, "STATE_SUCCEEDED", "캔이에요")


@pytest.mark.parametrize(
    ("state", "columns", "told"),
    [
        (
            "SUCCEEDED",
            {
                "outputs": '{"vision": {"category": {"major": "재활용폐기물", "middle": "금속류"}},'
                ' "answer": {"text": "비우고 내놓아요."}}'
            },
            {"status": "completed", "category": "재활용폐기물/금속류", "answer": "비우고 내놓아요."},
        ),
        (
            "FAILED",
            {"error": '{"kind": "InvalidArgument", "reason": "PHOTO_EMPTY", "metadata": {}}'},
            {"status": "failed", "error": "빈 파일이에요. 사진을 다시 올려 주세요."},
        ),
    ],
    ids=["succeeded", "failed"],
)
async def test_who_knows_tasks_is_told_of_a_task(
    sender: WebhookSender, state: str, columns: dict[str, str], told: dict[str, str]
) -> None:
    """In exactly these words, signed like all others."""
    scan_id = await sender.ended_scan(state=state, webhook_shape="TASK", **columns)
    secret = await sender.store.secret(USER, f"https://{HOST}/hook")
    await sender.deliver()
    (request,) = sender.receivers.received[HOST]
    body = standardwebhooks.Webhook(secret).verify(request.content, dict(request.headers))
    assert body == {"task_id": scan_id, **told}
    assert json_format.ParseDict(body, TaskEnded())
    assert (await sender.record(scan_id)).state is DeliveryState.DELIVERED


async def test_an_endpoint_that_is_gone_gets_nothing_until_it_is_asked_for_anew(sender: WebhookSender) -> None:
    """410 speaks for the address, so it also stops what is waiting already; its secret stays the user's."""
    sender.receivers.answers[HOST] = [*answers(410), *answers(200)]
    secret = await sender.store.secret(USER, f"https://{HOST}/hook")
    waiting = await sender.ended_scan()
    await sender.pool.execute("update scan.job set run_at = run_at + interval '1 hour'")
    first = await sender.ended_scan()
    await sender.deliver()
    assert await sender.skip_to_next()
    await sender.deliver()
    for scan_id, error in ((first, "http 410"), (waiting, "endpoint gone")):
        record = await sender.record(scan_id)
        assert (record.state, record.attempts[-1].error) == (DeliveryState.STOPPED, error)
    assert len(sender.receivers.received[HOST]) == 1

    assert await sender.store.secret(USER, f"https://{HOST}/hook") == secret
    await sender.ended_scan()
    await sender.deliver()
    assert len(sender.receivers.received[HOST]) == 2


async def test_a_receiver_has_its_whole_time_for_each_step(sender: WebhookSender) -> None:
    """The client's own, shorter limits would cut the promised ten seconds."""
    await sender.ended_scan()
    await sender.deliver()
    (request,) = sender.receivers.received[HOST]
    assert set(request.extensions["timeout"].values()) == {sender.seconds}


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_redirects_are_failures(sender: WebhookSender, status: int) -> None:
    """The user named an address; what it points at today isn't theirs to be told."""
    sender.receivers.answers[HOST] = answers(status, location="https://other.example.com/")
    scan_id = await sender.ended_scan()
    await sender.deliver()
    assert list(sender.receivers.received) == [HOST]
    assert (await sender.record(scan_id)).attempts[-1].error == f"http {status}"


async def test_a_name_that_points_inside_is_never_called(sender: WebhookSender) -> None:
    """It was public when the scan was created; it is checked again when it counts."""
    scan_id = await sender.ended_scan()
    sender.names = [ip_address("10.0.0.1")]
    await sender.deliver()
    assert not sender.receivers.received
    record = await sender.record(scan_id)
    assert (record.state, record.attempts[-1].error) == (DeliveryState.PENDING, "address refused")


async def test_a_receiver_that_never_answers_is_let_go(sender: WebhookSender) -> None:
    """The limit is for the whole try; the place in the worker is needed for others."""
    sender.seconds = 0.05
    sender.receivers.answers[HOST] = [asyncio.Event().wait]
    scan_id = await sender.ended_scan()
    await sender.deliver()
    attempt = (await sender.record(scan_id)).attempts[-1]
    assert (attempt.status, attempt.error) == (None, "timeout")
    assert attempt.duration_ms >= 50


async def test_a_connection_that_breaks_is_named_in_the_log(sender: WebhookSender) -> None:
    """The operator has nothing else to go by."""

    async def broken() -> httpx2.Response:
        raise httpx2.ConnectError("refused")

    sender.receivers.answers[HOST] = [broken]
    scan_id = await sender.ended_scan()
    await sender.deliver()
    assert (await sender.record(scan_id)).attempts[-1].error == "ConnectError"


async def test_an_endless_answer_is_not_read(sender: WebhookSender) -> None:
    """Its head says all there is to know."""
    read = False

    async def pieces() -> AsyncIterator[bytes]:
        nonlocal read
        read = True
        while True:
            yield bytes(1 << 16)

    async def endless() -> httpx2.Response:
        return httpx2.Response(200, content=pieces())

    sender.receivers.answers[HOST] = [endless]
    scan_id = await sender.ended_scan()
    await sender.deliver()
    assert (await sender.record(scan_id)).state is DeliveryState.DELIVERED
    assert not read


async def test_fifty_at_once_get_one_secret(sender: WebhookSender) -> None:
    """Users keep the first they are given, so there must be no second; and others' are their own."""
    url = f"https://{HOST}/hook"
    secrets = await asyncio.gather(*(sender.store.secret(USER, url) for _ in range(50)))
    assert len(set(secrets)) == 1
    assert await sender.store.secret("somebody else", url) not in secrets


async def test_a_scan_with_a_callback_ends_with_a_webhook(client: Client) -> None:
    """From creation to the operator's log; `.example` is nobody's, so no receiver is ever found."""
    created = await client.create(callback_url="https://hook.example/eco2")
    assert standardwebhooks.Webhook(created.webhook_secret)
    again = await client.create(callback_url="https://hook.example/eco2")
    assert again.webhook_secret == created.webhook_secret
    (await client.put(created.upload)).raise_for_status()
    await client.start(created.scan.scan_id)
    await client.finished(created.scan.scan_id)
    request = operations.ListWebhookDeliveriesRequest(scan_id=created.scan.scan_id)
    (delivery,) = (await client.operations.ListWebhookDeliveries(request)).deliveries
    assert (delivery.event, delivery.url, delivery.state) == (
        "scan.succeeded",
        "https://hook.example/eco2",
        WebhookDelivery.STATE_PENDING,
    )
    await client.operations.RedeliverWebhook(operations.RedeliverWebhookRequest(webhook_id=delivery.webhook_id))


async def test_without_a_callback_there_is_no_secret_and_no_webhook(client: Client) -> None:
    """Nobody asked."""
    created = await client.create()
    assert created.webhook_secret == ""
    request = operations.ListWebhookDeliveriesRequest(scan_id=created.scan.scan_id)
    assert not (await client.operations.ListWebhookDeliveries(request)).deliveries


@pytest.mark.parametrize("url", ["http://hook.example.com/", "https://10.0.0.1/", "https://scan.svc.cluster.local/"])
async def test_addresses_that_are_not_public_are_refused(client: Client, url: str) -> None:
    """At creation, where the user can still read it."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await client.create(callback_url=url)
    assert (caught.value.code(), reason(caught.value)) == (grpc.StatusCode.INVALID_ARGUMENT, Reason.ADDRESS_REFUSED)


async def test_redelivering_what_there_is_not_is_not_found(start_scan_service: StartScanService) -> None:
    """Over the wire, with its reason."""
    async with start_scan_service(scan_role="api") as client:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await client.operations.RedeliverWebhook(operations.RedeliverWebhookRequest(webhook_id=str(uuid.uuid4())))
    assert (caught.value.code(), reason(caught.value)) == (grpc.StatusCode.NOT_FOUND, Reason.WEBHOOK_NOT_FOUND)
