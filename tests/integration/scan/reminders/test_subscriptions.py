"""Where a user is reminded: added, listed, ended, and what becomes of it with its user."""

import asyncio
import os
import uuid
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import grpc
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from eco2.reminders.v1 import reminders_service_pb2 as pb
from eco2.reminders.v1 import reminders_service_pb2_grpc
from eco2.scan.v1 import scan_service_pb2
from mesh.grpc.identity import USER_HEADER
from mesh.reasons import Reason
from scan_svc.reminders.vapid import encoded
from tests.integration.scan.client import Client, StartScanService, reason
from tests.support.browser_push import Browser

KEY = "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"
HOOK = "https://hooks.example.com/eco2"
BROWSER = Browser(ec.generate_private_key(ec.SECP256R1()), os.urandom(16))


class Subscriber:
    """A user of RemindersService."""

    def __init__(self, client: Client, channel: grpc.aio.Channel, user: str) -> None:
        self.stub: Any = reminders_service_pb2_grpc.RemindersServiceStub(channel)
        self.scans: Any = client.stub
        self.channel = channel
        self.client = client
        self.user = user
        self.metadata = ((USER_HEADER, user),)

    def another(self) -> "Subscriber":
        return Subscriber(self.client, self.channel, f"user-{uuid.uuid4().hex}")

    async def push(self, **fields: str) -> pb.CreateSubscriptionResponse:
        keys = {
            "endpoint": "https://push.example.com/a",
            "p256dh": encoded(BROWSER.public),
            "auth": encoded(BROWSER.auth),
        }
        return await self._add(push=keys | fields)

    async def webhook(self, url: str = HOOK) -> pb.CreateSubscriptionResponse:
        return await self._add(webhook_url=url)

    async def _add(self, **fields: Any) -> Any:
        return await self.stub.CreateSubscription(pb.CreateSubscriptionRequest(**fields), metadata=self.metadata)

    async def listed(self) -> list[pb.Subscription]:
        listed = await self.stub.ListSubscriptions(pb.ListSubscriptionsRequest(), metadata=self.metadata)
        return list(listed.subscriptions)

    async def addresses(self) -> list[str]:
        return [one.address for one in await self.listed()]

    async def end(self, subscription_id: str) -> None:
        request = pb.DeleteSubscriptionRequest(subscription_id=subscription_id)
        await self.stub.DeleteSubscription(request, metadata=self.metadata)


@pytest.fixture
async def user(start_scan_service: StartScanService) -> AsyncIterator[Subscriber]:
    """A user where push messages are sent."""
    async with start_scan_service(vapid_private_key=KEY) as client, grpc.aio.insecure_channel(client.target) as channel:
        yield Subscriber(client, channel, dict(client.metadata)[USER_HEADER])


@pytest.fixture
async def connection(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    """The test's own look into the database."""
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


async def refusal(call: Any) -> str:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await call
    return reason(refused.value)


async def move(guest: Subscriber, owner: Subscriber) -> None:
    request = scan_service_pb2.TransferScansRequest(from_user_id=guest.user, to_user_id=owner.user)
    assert (await guest.scans.TransferScans(request)).done


async def test_a_browser_and_an_address_are_added_listed_and_ended(user: Subscriber) -> None:
    """Of a browser the host is told, since who has its whole address could send to it; a stranger sees neither."""
    browser, hook = await user.push(), await user.webhook()
    assert browser.webhook_secret == ""
    assert hook.webhook_secret.startswith("whsec_")
    listed = await user.listed()
    assert [(one.channel, one.address) for one in listed] == [
        (pb.Subscription.CHANNEL_PUSH, "push.example.com"),
        (pb.Subscription.CHANNEL_WEBHOOK, HOOK),
    ]
    stranger = user.another()
    assert await stranger.listed() == []
    for one in listed:
        assert await refusal(stranger.end(one.subscription_id)) == Reason.SUBSCRIPTION_NOT_FOUND
        await user.end(one.subscription_id.upper())
        assert await refusal(user.end(one.subscription_id)) == Reason.SUBSCRIPTION_NOT_FOUND
    assert await user.listed() == []


async def test_the_same_address_is_the_same_subscription(user: Subscriber, connection: asyncpg.Connection) -> None:
    """A browser renews its keys; a page may say so at every visit."""
    first, again = await user.push(), await user.push(auth=encoded(b"r" * 16))
    assert first.subscription == again.subscription
    assert await connection.fetchval("select auth from scan.subscription") == b"r" * 16
    hook, repeated = await user.webhook(), await user.webhook()
    assert hook == repeated
    created = await user.client.create(callback_url=HOOK)
    assert created.webhook_secret == hook.webhook_secret


async def test_a_browser_is_of_whoever_subscribed_last(user: Subscriber) -> None:
    """Who was signed in there before isn't reminded on somebody else's screen."""
    await user.push()
    other = user.another()
    await other.push()
    assert (await user.addresses(), await other.addresses()) == ([], ["push.example.com"])
    await user.webhook()
    await other.webhook()
    assert await user.addresses() == [HOOK]


async def test_one_has_ten_at_most(user: Subscriber) -> None:
    """Even if twenty are added at once; what one has already is no further one."""
    added = await asyncio.gather(
        *(user.webhook(f"https://hooks.example.com/{number}") for number in range(20)), return_exceptions=True
    )
    refused = [one for one in added if isinstance(one, grpc.aio.AioRpcError)]
    assert [reason(one) for one in refused] == [Reason.SUBSCRIPTION_LIMIT] * 10
    kept = await user.addresses()
    assert len(kept) == 10
    await user.webhook(kept[0])
    assert await refusal(user.push()) == Reason.SUBSCRIPTION_LIMIT


@pytest.mark.parametrize(
    "address",
    [
        "http://push.example.com/a",
        "https://127.0.0.1/a",
        "https://[::1]/a",
        "https://169.254.169.254/latest",
        "https://localhost/a",
        "https://redis.internal/a",
        "https://user@push.example.com/a",
        "https://2130706433/a",
    ],
)
async def test_only_public_addresses_are_taken(user: Subscriber, address: str) -> None:
    """A push endpoint is an address that somebody gives, as a webhook's is."""
    assert await refusal(user.push(endpoint=address)) == Reason.ADDRESS_REFUSED
    assert await refusal(user.webhook(address)) == Reason.ADDRESS_REFUSED


@pytest.mark.parametrize(
    "fields",
    [
        {"p256dh": encoded(b"\x04" + b"\x00" * 64)},
        {"p256dh": encoded(b"\x04" + b"\x01" * 64)},
        {"p256dh": "none"},
        {"auth": "none"},
        {"auth": encoded(b"a" * 17)},
        {"auth": "=" * 22},
    ],
    ids=["zero", "off the curve", "text", "text for auth", "long auth", "padding"],
)
async def test_keys_that_no_browser_makes_are_refused(user: Subscriber, fields: dict[str, str]) -> None:
    """Now, and not in the evening."""
    assert await refusal(user.push(**fields)) == Reason.INVALID_FIELD


async def test_the_key_is_told_and_stays(user: Subscriber) -> None:
    """What a browser subscribes with."""
    told = await user.stub.GetPushKey(pb.GetPushKeyRequest(), metadata=user.metadata)
    assert told.public_key == "BP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A8"


async def test_without_a_key_there_is_no_push_but_webhooks(client: Client) -> None:
    """And it is said so before a browser asks its user."""
    async with grpc.aio.insecure_channel(client.target) as channel:
        user = Subscriber(client, channel, "somebody")
        for call in (user.stub.GetPushKey(pb.GetPushKeyRequest(), metadata=user.metadata), user.push()):
            assert await refusal(call) == Reason.PUSH_OFF
        assert (await user.webhook()).webhook_secret


async def test_a_secret_stays_as_long_as_somebody_is_told_there(
    user: Subscriber, connection: asyncpg.Connection
) -> None:
    """A scan's end or a reminder: whichever is last takes it along."""
    hook = await user.webhook()
    scan = await user.client.create(callback_url=HOOK)
    await user.client.delete(scan.scan.scan_id)
    assert await connection.fetchval("select secret from scan.webhook_endpoint") == hook.webhook_secret
    kept = await user.client.create(callback_url=HOOK)
    await user.end(hook.subscription.subscription_id)
    assert await connection.fetchval("select secret from scan.webhook_endpoint") == hook.webhook_secret
    await user.client.delete(kept.scan.scan_id)
    assert await connection.fetchval("select count(*) from scan.webhook_endpoint") == 0


async def test_a_guests_subscriptions_follow_them(user: Subscriber, connection: asyncpg.Connection) -> None:
    """With the secret; as many as there is room for, and what both have once."""
    owner = user.another()
    await user.push()
    secret = (await user.webhook()).webhook_secret
    await owner.webhook("https://hooks.example.com/own")
    for _ in range(2):
        await move(user, owner)
        assert sorted(await owner.addresses()) == [HOOK, "https://hooks.example.com/own", "push.example.com"]
    assert await user.addresses() == []
    assert (await owner.webhook()).webhook_secret == secret
    full = user.another()
    for number in range(9):
        await full.webhook(f"https://hooks.example.com/{number}")
    await move(owner, full)
    assert len(await full.addresses()) == 10


async def test_who_is_gone_is_reminded_nowhere(user: Subscriber, connection: asyncpg.Connection) -> None:
    """Neither address nor key nor secret is left."""
    await user.push()
    await user.webhook()
    assert (await user.scans.EraseScans(scan_service_pb2.EraseScansRequest(user_id=user.user))).done
    for table in ("subscription", "webhook_endpoint"):
        assert await connection.fetchval(f"select count(*) from scan.{table}") == 0
