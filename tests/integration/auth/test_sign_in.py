"""Signing in with a real OpenID provider, by whoever may and by whoever may not."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import asyncpg
import grpc
import pytest
import redis.asyncio
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from google.protobuf.json_format import MessageToDict

from eco2.auth.v1 import auth_service_pb2 as pb
from eco2.auth.v1.auth_pb2 import Session
from mesh.reasons import Reason
from tests.integration.auth.attempts import EXPIRED, VERIFIER, begin, complete, me, refusal, refused_for, signed_in
from tests.integration.auth.conftest import Offer
from tests.support.oidc_provider import (
    CLIENT_SECRET,
    REDIRECT,
    CameBack,
    OidcProvider,
    sign_in_there,
)
from tests.support.ports import free_port

if TYPE_CHECKING:
    from eco2.auth.v1.auth_service_pb2_grpc import AuthServiceAsyncStub


@pytest.fixture
async def auth(offer: Offer, provider: OidcProvider) -> AsyncIterator["AuthServiceAsyncStub"]:
    """Auth with the provider on offer in two ways: by ID tokens, and by asking who somebody is."""
    async with offer({"standin": provider.described(), "asked": provider.described_without_id_token()}) as auth:
        yield auth


@pytest.fixture
async def attempts(redis_url: str) -> AsyncIterator[redis.asyncio.Redis]:
    """The test's own look into Redis."""
    client = redis.asyncio.Redis.from_url(redis_url)
    yield client
    await client.aclose()


async def change_attempt(attempts: redis.asyncio.Redis, state: str, **changes: str) -> None:
    """Makes the attempt of a state look as if it had begun otherwise."""
    async for key in attempts.scan_iter("auth:attempt:*"):
        kept = json.loads(await attempts.get(key) or "{}")
        if kept.get("authorization", {}).get("state") == state:
            kept["authorization"] |= changes
            await attempts.set(key, json.dumps(kept), keepttl=True)


@pytest.mark.redis_shapes
async def test_somebody_new_gets_an_account_and_a_session(auth: "AuthServiceAsyncStub") -> None:
    """From the button to the first refresh."""
    begun = await begin(auth)
    back = await sign_in_there(begun.authorization_url, "mina")
    assert (back.redirect_uri, back.state) == (REDIRECT, begun.state)
    session = await complete(auth, back)
    assert not session.guest
    account = MessageToDict(await auth.GetMe(pb.GetMeRequest(), metadata=me(session)))
    (identity,) = account["identities"]
    assert (identity["provider"], identity["name"]) == ("standin", "mina of the stand-in")
    assert "guest" not in account
    refreshed = await auth.RefreshToken(pb.RefreshTokenRequest(refresh_token=session.refresh_token))
    assert (refreshed.user_id, refreshed.guest) == (session.user_id, False)


@pytest.mark.parametrize("name", ["standin", "asked"])
async def test_the_same_person_is_the_same_user(auth: "AuthServiceAsyncStub", name: str) -> None:
    """On another phone, too; and somebody else is somebody else. Whether the provider tells by itself or is asked."""
    users = [(await signed_in(auth, login, name)).user_id for login in ("joon", "joon", "sora")]
    assert users[0] == users[1] != users[2]


async def test_a_guest_who_signs_in_stays_the_same_user(auth: "AuthServiceAsyncStub") -> None:
    """So everything that is the guest's is the user's: nothing has to be moved. The guest's own session goes on."""
    guest = await auth.CreateGuest(pb.CreateGuestRequest())
    session = await signed_in(auth, "guest-of-old", who=me(guest))
    assert (session.user_id, session.guest) == (guest.user_id, False)
    refreshed = await auth.RefreshToken(pb.RefreshTokenRequest(refresh_token=guest.refresh_token))
    assert (refreshed.user_id, refreshed.guest) == (guest.user_id, False)


async def test_a_user_may_add_another_provider(auth: "AuthServiceAsyncStub") -> None:
    """Whoever signs in with either is the same from then on."""
    first = await signed_in(auth, "hana")
    second = await signed_in(auth, "hana-there", "asked", who=me(first))
    assert second.user_id == first.user_id
    account = await auth.GetMe(pb.GetMeRequest(), metadata=me(first))
    assert [identity.provider for identity in account.identities] == ["standin", "asked"]


async def test_an_identity_stays_whose_it_is(auth: "AuthServiceAsyncStub") -> None:
    """Whoever signs in with it from another account comes to the one that it belongs to."""
    owner, other = await signed_in(auth, "dana"), await signed_in(auth, "somebody-else")
    assert (await signed_in(auth, "dana", who=me(other))).user_id == owner.user_id


async def test_eight_first_sign_ins_at_once_make_one_user(
    auth: "AuthServiceAsyncStub", connection: asyncpg.Connection
) -> None:
    """Two devices, or a doubled tap: the identity's row decides, and nobody is left over."""
    backs = [await sign_in_there((await begin(auth)).authorization_url, "everywhere") for _ in range(8)]
    sessions = await asyncio.gather(*(complete(auth, back) for back in backs))
    assert len({session.user_id for session in sessions}) == 1
    assert await connection.fetchval("select count(*) from auth.account") == 1


async def test_a_state_is_good_once(auth: "AuthServiceAsyncStub") -> None:
    """Even at the same moment."""
    back = await sign_in_there((await begin(auth)).authorization_url, "mina")
    outcomes = await asyncio.gather(*(complete(auth, back) for _ in range(5)), return_exceptions=True)
    assert len([outcome for outcome in outcomes if isinstance(outcome, Session)]) == 1
    assert await refusal(complete(auth, back)) == EXPIRED


async def test_a_code_is_good_once(auth: "AuthServiceAsyncStub") -> None:
    """A thief's own attempt doesn't help: the code is bound to another verifier, and used."""
    back = await sign_in_there((await begin(auth)).authorization_url, "mina")
    await complete(auth, back)
    thiefs = await begin(auth)
    assert await refused_for(complete(auth, back, state=thiefs.state)) == "invalid_grant"


async def test_a_code_that_was_caught_before_its_use_is_no_use(auth: "AuthServiceAsyncStub") -> None:
    """PKCE: it is bound to the attempt that it was made for."""
    back = await sign_in_there((await begin(auth)).authorization_url, "mina")
    thiefs = await begin(auth)
    assert await refused_for(complete(auth, back, state=thiefs.state)) == "invalid_grant"


async def test_whoever_catches_the_whole_redirect_can_complete_nothing(auth: "AuthServiceAsyncStub") -> None:
    """Another app that takes our links has state and code, but not the secret of the app that began; and one try."""
    back = await sign_in_there((await begin(auth)).authorization_url, "mina")
    assert await refused_for(complete(auth, back, code_verifier="guessed" * 7)) == "code_verifier"
    assert await refusal(complete(auth, back)) == EXPIRED


async def test_an_attempt_waits_for_ten_minutes(auth: "AuthServiceAsyncStub", attempts: redis.asyncio.Redis) -> None:
    """Then it is gone, and whoever comes back is told to begin again. Its key in Redis names no state."""
    before = {key async for key in attempts.scan_iter("auth:attempt:*")}
    begun = await begin(auth)
    new = {key async for key in attempts.scan_iter("auth:attempt:*")} - before
    ours = [key for key in new if begun.state.encode() in (await attempts.get(key) or b"")]
    (key,) = ours
    assert 570 < await attempts.ttl(key) <= 600
    assert begun.state.encode() not in key
    back = await sign_in_there(begun.authorization_url, "mina")
    await attempts.expireat(key, 1)
    assert await refusal(complete(auth, back)) == EXPIRED


async def test_a_state_of_another_provider_is_none(auth: "AuthServiceAsyncStub") -> None:
    """Else one provider could answer in another one's name."""
    back = await sign_in_there((await begin(auth, "asked")).authorization_url, "mina")
    assert await refusal(complete(auth, back, provider="standin")) == EXPIRED


@pytest.mark.parametrize(
    ("changes", "detail"),
    [({"verifier": "another" * 7}, "invalid_grant"), ({"nonce": "another"}, "id_token")],
    ids=["wrong verifier", "wrong nonce"],
)
async def test_what_was_made_for_another_attempt_is_refused(
    auth: "AuthServiceAsyncStub", attempts: redis.asyncio.Redis, changes: dict[str, str], detail: str
) -> None:
    """By the provider for the verifier, by us for the nonce."""
    begun = await begin(auth)
    back = await sign_in_there(begun.authorization_url, "mina")
    await change_attempt(attempts, begun.state, **changes)
    assert await refused_for(complete(auth, back)) == detail


@pytest.mark.parametrize("provider_id", ["nobody", "google"])
async def test_who_isnt_on_offer_is_not_found(auth: "AuthServiceAsyncStub", provider_id: str) -> None:
    """A provider that is only known has no client here."""
    unknown = (grpc.StatusCode.NOT_FOUND, Reason.PROVIDER_UNKNOWN)
    assert await refusal(begin(auth, provider_id)) == unknown
    back = CameBack(REDIRECT, "state", "code")
    assert await refusal(complete(auth, back, provider=provider_id)) == unknown
    listed = await auth.ListProviders(pb.ListProvidersRequest(locale="en"))
    assert [(one.provider, one.name) for one in listed.providers] == [("standin", "Stand-in"), ("asked", "Stand-in")]


@pytest.mark.parametrize(
    "changes",
    [{"redirect_uri": "https://evil.example/"}, {"code_challenge": "plain"}, {"code_challenge": ""}, {"provider": ""}],
)
async def test_a_beginning_with_a_bad_field_is_refused(auth: "AuthServiceAsyncStub", changes: dict[str, str]) -> None:
    """Nobody is sent anywhere else, and nobody begins without a secret."""
    fields = {"provider": "standin", "redirect_uri": REDIRECT, "code_challenge": create_s256_code_challenge(VERIFIER)}
    call = auth.BeginSignIn(pb.BeginSignInRequest(**fields | changes))
    assert await refusal(call) == (grpc.StatusCode.INVALID_ARGUMENT, Reason.INVALID_FIELD)


async def test_secrets_are_in_no_log_and_no_table(
    auth: "AuthServiceAsyncStub", connection: asyncpg.Connection, capfd: pytest.CaptureFixture[str]
) -> None:
    """Neither of what goes well nor of what is refused."""
    begun = await begin(auth)
    back = await sign_in_there(begun.authorization_url, "mina")
    await complete(auth, back)
    await refusal(complete(auth, back))
    second = await sign_in_there((await begin(auth)).authorization_url, "mina")
    await refused_for(complete(auth, back, state=second.state))
    logged = "".join(capfd.readouterr())
    kept = str(await connection.fetch("select * from auth.identity join auth.account using (user_id)"))
    for secret in (begun.state, back.code, VERIFIER, second.state, second.code, CLIENT_SECRET):
        assert secret not in logged
        assert secret not in kept


async def test_without_redis_nobody_signs_in_and_all_sessions_go_on(offer: Offer, provider: OidcProvider) -> None:
    """What is in Redis is an attempt that can be begun again."""
    away = f"redis://127.0.0.1:{free_port()}"
    async with offer({"standin": provider.described()}, redis_url=away) as auth:
        guest = await auth.CreateGuest(pb.CreateGuestRequest())
        code, reason = await refusal(begin(auth))
        assert (code, reason) == (grpc.StatusCode.UNAVAILABLE, Reason.UNAVAILABLE)
        await auth.RefreshToken(pb.RefreshTokenRequest(refresh_token=guest.refresh_token))


async def test_what_people_are_sent_to_asks_for_what_the_table_says(auth: "AuthServiceAsyncStub") -> None:
    """Scopes, the hash of a verifier, and a nonce only where there is an ID token to put it in."""
    urls = [(await begin(auth, name)).authorization_url for name in ("standin", "asked")]
    for url in urls:
        assert "response_type=code" in url
        assert "scope=openid+profile" in url or "scope=openid%20profile" in url
        assert re.search(r"code_challenge=[\w-]{43}(&|$)", url)
        assert "code_challenge_method=S256" in url
    assert ["nonce=" in url for url in urls] == [True, False]
