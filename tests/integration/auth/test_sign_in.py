"""Signing in with a real OpenID provider, by whoever may and by whoever may not."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import asyncpg
import grpc
import pytest
import pytest_asyncio
import redis.asyncio
import yaml
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from google.protobuf.json_format import MessageToDict

from eco2.auth.v1 import auth_service_pb2 as pb
from eco2.auth.v1.auth_pb2 import Session
from mesh.grpc.status import from_rpc_error
from mesh.reasons import Reason
from tests.integration.auth.conftest import Serve
from tests.support.oidc_provider import (
    CLIENT_ID,
    CLIENT_SECRET,
    REDIRECT,
    CameBack,
    OidcProvider,
    running_provider,
    sign_in_there,
)
from tests.support.ports import free_port

if TYPE_CHECKING:
    from eco2.auth.v1.auth_service_pb2_grpc import AuthServiceAsyncStub

VERIFIER = "a-secret-of-the-app-that-nobody-else-knows-01"
EXPIRED = (grpc.StatusCode.FAILED_PRECONDITION, Reason.SIGN_IN_EXPIRED)
AWAY = (grpc.StatusCode.UNAVAILABLE, Reason.PROVIDER_UNAVAILABLE)

Offer = Callable[..., Any]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def provider() -> AsyncIterator[OidcProvider]:
    """One provider for the tests that leave it running."""
    async with running_provider() as running:
        yield running


@pytest.fixture
def offer(serve: Serve, tmp_path: Path) -> Offer:
    """Starts Auth with these providers on offer."""

    @asynccontextmanager
    async def offer(providers: dict[str, Any], **changes: Any) -> AsyncIterator["AuthServiceAsyncStub"]:
        file = tmp_path / "providers.yaml"
        file.write_text(yaml.safe_dump(providers), encoding="utf-8")
        clients = {name: {"id": CLIENT_ID, "secret": CLIENT_SECRET} for name in providers}
        settings = {"auth_providers": str(file), "auth_clients": json.dumps(clients), "auth_redirects": REDIRECT}
        async with serve(**settings | changes) as auth:
            yield auth

    return offer


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


def me(session: Session) -> tuple[tuple[str, str], ...]:
    return (("eco2-user-id", session.user_id),)


async def begin(
    auth: "AuthServiceAsyncStub", provider: str = "standin", who: tuple[tuple[str, str], ...] = ()
) -> pb.BeginSignInResponse:
    challenge = create_s256_code_challenge(VERIFIER)
    request = pb.BeginSignInRequest(provider=provider, redirect_uri=REDIRECT, code_challenge=challenge)
    return await auth.BeginSignIn(request, metadata=who)


def complete(auth: "AuthServiceAsyncStub", back: CameBack, **changes: str) -> Awaitable[Session]:
    fields = {"provider": "standin", "state": back.state, "code": back.code, "code_verifier": VERIFIER}
    return auth.CompleteSignIn(pb.CompleteSignInRequest(**fields | changes))


async def signed_in(
    auth: "AuthServiceAsyncStub", login: str, provider: str = "standin", who: tuple[tuple[str, str], ...] = ()
) -> Session:
    begun = await begin(auth, provider, who)
    return await complete(auth, await sign_in_there(begun.authorization_url, login), provider=provider)


async def refusal(call: Awaitable[object]) -> tuple[grpc.StatusCode, Reason]:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await call
    return refused.value.code(), from_rpc_error(refused.value, "auth").reason


async def refused_for(call: Awaitable[object]) -> str:
    """What a refused sign-in says that it was refused for."""
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await call
    error = from_rpc_error(refused.value, "auth")
    assert (refused.value.code(), error.reason) == (grpc.StatusCode.PERMISSION_DENIED, Reason.SIGN_IN_REFUSED)
    return error.metadata["detail"]


async def change_attempt(attempts: redis.asyncio.Redis, state: str, **changes: str) -> None:
    """Makes the attempt of a state look as if it had begun otherwise."""
    async for key in attempts.scan_iter("auth:attempt:*"):
        kept = json.loads(await attempts.get(key) or "{}")
        if kept.get("authorization", {}).get("state") == state:
            kept["authorization"] |= changes
            await attempts.set(key, json.dumps(kept), keepttl=True)


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


async def test_an_id_token_of_another_issuer_is_refused(offer: Offer, provider: OidcProvider) -> None:
    """However well it is signed."""
    async with offer({"standin": provider.described() | {"issuer": "https://accounts.example"}}) as auth:
        back = await sign_in_there((await begin(auth)).authorization_url, "mina")
        assert await refused_for(complete(auth, back)) == "id_token"


async def test_an_id_token_signed_otherwise_is_refused(offer: Offer, provider: OidcProvider) -> None:
    """Only the algorithms that the provider is known for."""
    async with offer({"standin": provider.described() | {"algorithms": ["ES256"]}}) as auth:
        back = await sign_in_there((await begin(auth)).authorization_url, "mina")
        assert await refused_for(complete(auth, back)) == "id_token"


async def test_a_provider_may_change_its_keys(offer: Offer) -> None:
    """A key that isn't known yet is asked for, not refused."""
    port = free_port()
    async with offer({"standin": OidcProvider(f"http://127.0.0.1:{port}").described()}) as auth:
        users = []
        for _ in range(2):
            async with running_provider(port):
                users.append((await signed_in(auth, "mina")).user_id)
    assert users[0] == users[1]


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


@asynccontextmanager
async def answering(answer: bytes | None) -> AsyncIterator[str]:
    """A server that says the same to everybody, or nothing; gives its base address."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            if answer is not None:
                writer.write(answer)
                await writer.drain()
            else:
                await reader.read()  # until the other end has given up
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


def http(body: bytes, status: str = "200 OK", kind: str = "application/json") -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    return head.encode() + body


RUBBISH = {
    "silence": None,
    "hangs up": b"",
    "no HTTP": b"\x16\x03\x01\x02 hello\r\n\r\n",
    "a page": http(b"<html>sorry</html>", kind="text/html"),
    "a fault": http(b"<html>sorry</html>", "500 Internal Server Error", "text/html"),
    "a redirect": http(b"", "302 Found\r\nLocation: https://evil.example/"),
    "no JSON": http(b"{"),
    "a list": http(b"[]"),
    "text": http(b'"yes"'),
    "null": http(b"null"),
    "nothing": http(b"{}"),
    "no ID token": http(b'{"access_token": "a", "token_type": "Bearer"}'),
    "an ID token of another type": http(b'{"access_token": "a", "token_type": "Bearer", "id_token": 7}'),
    "a fault of ours": http(b'{"error": "invalid_client"}', "401 Unauthorized"),
    "not Unicode": http(b'{"access_token": "\xff\xfe"}'),
    "an error of another type": http(b'{"error": ["invalid_grant"], "error_description": 7}'),
    "times of another type": http(b'{"access_token": "a", "id_token": "b", "expires_in": {}, "expires_at": []}'),
    "deep": http(b"[" * 100_000),
    "endless": http(b'{"access_token": "' + b"a" * (1 << 20) + b'"}'),
}


@pytest.mark.parametrize("answer", RUBBISH.values(), ids=RUBBISH.keys())
async def test_a_provider_that_talks_rubbish_is_away(
    offer: Offer, provider: OidcProvider, answer: bytes | None
) -> None:
    """Whatever it says, in a moment; nothing of it is passed on, and the next attempt begins anew."""
    async with answering(answer) as address:
        described = provider.described() | {"token_endpoint": f"{address}/token"}
        async with offer({"standin": described}, provider_seconds=1.0) as auth:
            begun = await begin(auth)
            back = CameBack(REDIRECT, begun.state, "a-code")
            assert await refusal(complete(auth, back)) == AWAY
            assert await refusal(complete(auth, back)) == EXPIRED


@pytest.mark.parametrize("answer", [http(b"{}"), http(b'{"keys": [{"kty": "x"}]}'), http(b"<html>"), None])
async def test_keys_that_are_rubbish_make_a_provider_away(
    offer: Offer, provider: OidcProvider, answer: bytes | None
) -> None:
    """An ID token that nobody can check isn't believed."""
    async with answering(answer) as address:
        described = provider.described() | {"jwks_uri": f"{address}/jwks"}
        async with offer({"standin": described}, provider_seconds=2.0) as auth:
            back = await sign_in_there((await begin(auth)).authorization_url, "mina")
            assert await refusal(complete(auth, back)) == AWAY


@pytest.mark.parametrize("answer", [http(b'{"error": "invalid_grant"}', "400 Bad Request"), http(b'{"error": "x"}')])
async def test_an_error_that_comes_as_success_is_an_error(offer: Offer, provider: OidcProvider, answer: bytes) -> None:
    """Naver says so with status 200."""
    async with answering(answer) as address:
        described = provider.described() | {"token_endpoint": f"{address}/token"}
        async with offer({"standin": described}) as auth:
            begun = await begin(auth)
            code, _ = await refusal(complete(auth, CameBack(REDIRECT, begun.state, "a-code")))
            expected = grpc.StatusCode.PERMISSION_DENIED if b"grant" in answer else grpc.StatusCode.UNAVAILABLE
            assert code is expected


async def test_a_provider_that_is_down_is_away(offer: Offer, provider: OidcProvider) -> None:
    """And nobody who is signed in notices."""
    described = provider.described() | {"token_endpoint": f"http://127.0.0.1:{free_port()}/token"}
    async with offer({"standin": described}) as auth:
        guest = await auth.CreateGuest(pb.CreateGuestRequest())
        begun = await begin(auth)
        assert await refusal(complete(auth, CameBack(REDIRECT, begun.state, "a-code"))) == AWAY
        await auth.RefreshToken(pb.RefreshTokenRequest(refresh_token=guest.refresh_token))


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
