"""Guests and their sessions over the wire: refreshed, stolen, ended."""

import asyncio
import json
from collections.abc import Awaitable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import asyncpg
import grpc
import jwt
import pytest
from cryptography.fernet import Fernet
from google.protobuf.json_format import MessageToDict

from auth_svc.sessions.refresh_tokens import RefreshToken
from auth_svc.sessions.store import SessionStore
from eco2.auth.v1 import auth_service_pb2 as pb
from eco2.auth.v1.auth_pb2 import Session
from mesh import postgres
from mesh.grpc.status import from_rpc_error
from mesh.reasons import Reason
from tests.integration.auth.conftest import SECRET, Serve

if TYPE_CHECKING:
    from eco2.auth.v1.auth_service_pb2_grpc import AuthServiceAsyncStub

ENDED = (grpc.StatusCode.UNAUTHENTICATED, Reason.SESSION_ENDED)


async def refusal(call: Awaitable[object]) -> tuple[grpc.StatusCode, Reason]:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await call
    return refused.value.code(), from_rpc_error(refused.value, "auth").reason


async def guest(auth: "AuthServiceAsyncStub") -> Session:
    return await auth.CreateGuest(pb.CreateGuestRequest())


def refresh(auth: "AuthServiceAsyncStub", session: Session, request_id: str = "") -> Awaitable[Session]:
    return auth.RefreshToken(pb.RefreshTokenRequest(refresh_token=session.refresh_token, request_id=request_id))


async def a_moment_later(connection: asyncpg.Connection) -> None:
    """What was refreshed just now, was so longer ago than a lost reply is waited for."""
    await connection.execute("update auth.session set rotated_at = rotated_at - interval '31 seconds'")


async def test_a_guest_gets_tokens_that_whoever_has_the_keys_can_check(auth: "AuthServiceAsyncStub") -> None:
    """The form that the edge believes: ES256, issuer, audience, subject, fifteen minutes."""
    session = await guest(auth)
    keys = MessageToDict(await auth.GetKeys(pb.GetKeysRequest()), preserving_proto_field_name=True)
    (key,) = jwt.PyJWKSet.from_json(json.dumps(keys)).keys
    claims = jwt.decode(session.access_token, key.key, algorithms=["ES256"], audience="eco2", issuer="eco2")

    assert jwt.get_unverified_header(session.access_token) == {"alg": "ES256", "kid": key.key_id, "typ": "JWT"}
    assert claims["sub"] == session.user_id
    assert claims["exp"] - claims["iat"] == 900
    assert session.access_token_expire_time.seconds == claims["exp"]
    assert session.guest


async def test_an_operators_token_says_so_and_nobody_elses_does(serve: Serve) -> None:
    """It opens the operators' edge. Who is one stands in the settings, so the next refresh brings it."""
    async with serve() as auth:
        operator, user = await guest(auth), await guest(auth)
    async with serve(auth_operators=f"somebody, {operator.user_id} ") as auth:
        refreshed = [await refresh(auth, session) for session in (operator, user)]
    scopes = [
        jwt.decode(session.access_token, options={"verify_signature": False}).get("scope")
        for session in (operator, *refreshed)
    ]
    assert scopes == [None, "operator", None]


async def test_every_guest_is_somebody_else(auth: "AuthServiceAsyncStub") -> None:
    """A repetition can't be known from another phone."""
    assert len({(await guest(auth)).user_id for _ in range(3)}) == 3


async def test_a_refresh_brings_the_next_pair_for_the_same_user(auth: "AuthServiceAsyncStub") -> None:
    """Again and again."""
    session = await guest(auth)
    tokens = {session.refresh_token}
    for _ in range(3):
        following = await refresh(auth, session)
        assert (following.user_id, following.guest) == (session.user_id, True)
        tokens.add(following.refresh_token)
        session = following
    assert len(tokens) == 4


async def test_a_token_lasts_seven_days_from_each_refresh_and_thirty_in_all(
    auth: "AuthServiceAsyncStub", connection: asyncpg.Connection
) -> None:
    """Sliding, up to the end of the session."""

    def days(session: Session) -> float:
        left = session.refresh_token_expire_time.ToDatetime(UTC) - datetime.now(UTC)
        return left / timedelta(days=1)

    session = await guest(auth)
    assert days(session) == pytest.approx(7, abs=0.01)
    await connection.execute("update auth.session set expires_at = now() + interval '1 hour'")
    session = await refresh(auth, session)
    assert days(session) == pytest.approx(7, abs=0.01)
    await connection.execute("update auth.session set ends_at = now() + interval '2 days'")
    session = await refresh(auth, session)
    assert days(session) == pytest.approx(2, abs=0.01)


@pytest.mark.parametrize("used", [False, True], ids=["current", "used before"])
async def test_an_expired_session_is_over(
    auth: "AuthServiceAsyncStub", connection: asyncpg.Connection, used: bool
) -> None:
    """Whichever of its tokens comes."""
    session = await guest(auth)
    following = await refresh(auth, session)
    await connection.execute("update auth.session set expires_at = now() - interval '1 second'")
    assert await refusal(refresh(auth, session if used else following)) == ENDED


async def test_a_lost_reply_is_sent_again(auth: "AuthServiceAsyncStub") -> None:
    """A phone in a lift repeats its request; it must get the token that it missed, and not lose its session."""
    session = await guest(auth)
    missed = await refresh(auth, session, "a")
    again = await refresh(auth, session, "a")
    assert again.refresh_token == missed.refresh_token
    assert (await refresh(auth, again)).user_id == session.user_id


async def test_fifty_refreshes_at_once_get_the_same_token(auth: "AuthServiceAsyncStub") -> None:
    """Whoever comes first rotates; the others find what it wrote."""
    session = await guest(auth)
    answers = await asyncio.gather(*(refresh(auth, session, "a") for _ in range(50)))
    assert len({answer.refresh_token for answer in answers}) == 1
    assert (await refresh(auth, answers[0])).user_id == session.user_id


@pytest.mark.parametrize(
    ("ids", "late"),
    [(("", ""), False), (("a", "b"), False), (("a", ""), False), (("", "a"), False), (("a", "a"), True)],
    ids=["at once", "by another request", "without the id", "with an id", "too late"],
)
async def test_a_token_used_twice_ends_the_session_for_both_who_hold_it(
    auth: "AuthServiceAsyncStub", connection: asyncpg.Connection, ids: tuple[str, str], late: bool
) -> None:
    """The owner comes after the thief: neither is served again, and nobody else is affected."""
    stolen, neighbour = await guest(auth), await guest(auth)
    thiefs = await refresh(auth, stolen, ids[0])
    if late:
        await a_moment_later(connection)
    assert await refusal(refresh(auth, stolen, ids[1])) == ENDED
    assert await refusal(refresh(auth, thiefs)) == ENDED
    assert (await refresh(auth, neighbour)).user_id == neighbour.user_id


async def test_the_same_refresh_after_the_next_one_is_theft_at_once(auth: "AuthServiceAsyncStub") -> None:
    """Whoever has used the next token has had the reply: nobody waits for it any more."""
    stolen = await guest(auth)
    following = await refresh(auth, stolen, "a")
    latest = await refresh(auth, following)
    assert await refusal(refresh(auth, stolen, "a")) == ENDED
    assert await refusal(refresh(auth, latest)) == ENDED


async def test_a_token_of_long_ago_shows_too(auth: "AuthServiceAsyncStub", connection: asyncpg.Connection) -> None:
    """However many refreshes lie between: a backup of a phone, say."""
    first = session = await guest(auth)
    for _ in range(20):
        session = await refresh(auth, session)
    assert await refusal(refresh(auth, first)) == ENDED
    assert await connection.fetchval("select count(*) from auth.session") == 0


async def test_without_a_moment_for_lost_replies_a_repetition_is_theft(serve: Serve) -> None:
    """For whoever wants it strict."""
    async with serve(refresh_again_seconds=0) as auth:
        session = await guest(auth)
        following = await refresh(auth, session, "a")
        assert await refusal(refresh(auth, session, "a")) == ENDED
        assert await refusal(refresh(auth, following)) == ENDED


async def test_who_knows_a_session_but_no_token_of_it_ends_it(auth: "AuthServiceAsyncStub") -> None:
    """Nobody knows its id who hasn't seen one of its tokens."""
    session = await guest(auth)
    known = RefreshToken.parse(session.refresh_token)
    assert known is not None
    forged = RefreshToken(known.session_id, b"\0" * 32).text
    assert await refusal(auth.RefreshToken(pb.RefreshTokenRequest(refresh_token=forged))) == ENDED
    assert await refusal(refresh(auth, session)) == ENDED


@pytest.mark.parametrize(
    "text", ["x", "eco2rt_AAAA.BBBB", RefreshToken.first().text], ids=["any text", "too short", "unknown"]
)
async def test_what_is_no_token_of_ours_is_refused(auth: "AuthServiceAsyncStub", text: str) -> None:
    """The same way, whatever is wrong with it."""
    assert await refusal(auth.RefreshToken(pb.RefreshTokenRequest(refresh_token=text))) == ENDED


async def test_an_access_token_is_no_refresh_token(auth: "AuthServiceAsyncStub") -> None:
    """Who sees one can't prolong it. It is longer than any of the other kind."""
    session = await guest(auth)
    request = pb.RefreshTokenRequest(refresh_token=session.access_token)
    assert await refusal(auth.RefreshToken(request)) == (grpc.StatusCode.INVALID_ARGUMENT, Reason.INVALID_FIELD)


async def test_logging_out_ends_one_session_and_may_be_repeated(auth: "AuthServiceAsyncStub") -> None:
    """By its current token or one before it; what is none ends nothing."""
    session, neighbour = await guest(auth), await guest(auth)
    following = await refresh(auth, session)
    for token in (session.refresh_token, session.refresh_token, "nothing"):
        await auth.Logout(pb.LogoutRequest(refresh_token=token))
    assert await refusal(refresh(auth, following)) == ENDED
    assert (await refresh(auth, neighbour)).user_id == neighbour.user_id


async def test_logging_out_everywhere_ends_all_sessions_of_the_caller(
    auth: "AuthServiceAsyncStub", connection: asyncpg.Connection
) -> None:
    """And none of anybody else."""
    session, neighbour = await guest(auth), await guest(auth)
    await connection.execute(
        "insert into auth.session select gen_random_uuid(), user_id, 'x', null, now(), null, expires_at, ends_at"
        " from auth.session where user_id = $1",
        session.user_id,
    )
    me = (("eco2-user-id", session.user_id),)
    assert (await auth.GetMe(pb.GetMeRequest(), metadata=me)).session_count == 2
    await auth.LogoutEverywhere(pb.LogoutEverywhereRequest(), metadata=me)
    account = await auth.GetMe(pb.GetMeRequest(), metadata=me)
    assert (account.user_id, account.guest, account.session_count) == (session.user_id, True, 0)
    assert await refusal(refresh(auth, session)) == ENDED
    assert (await refresh(auth, neighbour)).user_id == neighbour.user_id


async def test_of_another_issuers_user_only_the_id_is_known(auth: "AuthServiceAsyncStub") -> None:
    """Whose tokens the edge may believe as well."""
    account = await auth.GetMe(pb.GetMeRequest(), metadata=(("eco2-user-id", "mina"),))
    assert MessageToDict(account) == {"userId": "mina"}


@pytest.mark.parametrize("method", ["GetMe", "LogoutEverywhere"])
async def test_what_is_somebodys_needs_a_caller(auth: "AuthServiceAsyncStub", method: str) -> None:
    """Fails closed, by whatever way it is reached."""
    request = getattr(pb, f"{method}Request")()
    expected = (grpc.StatusCode.UNAUTHENTICATED, Reason.UNAUTHENTICATED)
    assert await refusal(getattr(auth, method)(request)) == expected


async def test_no_token_is_kept_or_logged(
    auth: "AuthServiceAsyncStub", connection: asyncpg.Connection, capfd: pytest.CaptureFixture[str]
) -> None:
    """A copy of the database, or of the logs, lets nobody in."""
    stolen = await guest(auth)
    following = await refresh(auth, stolen)
    latest = await refresh(auth, following)
    kept = str(await connection.fetch("select * from auth.session join auth.account using (user_id)"))
    assert stolen.user_id in kept
    await refusal(refresh(auth, stolen))
    await refusal(auth.RefreshToken(pb.RefreshTokenRequest(refresh_token="x" * 201)))
    logged = "".join(capfd.readouterr())
    for session in (stolen, following, latest):
        _, _, secret = session.refresh_token.partition(".")
        for text in (secret, session.access_token):
            assert text not in kept
            assert text not in logged


async def test_another_secret_before_the_old_one_changes_nothing_for_anybody(serve: Serve) -> None:
    """Secrets are changed without anybody having to sign in again; even a reply that is just lost can come again."""
    async with serve() as auth:
        session = await guest(auth)
        missed = await refresh(auth, session, "a")
        keys = await auth.GetKeys(pb.GetKeysRequest())
    async with serve(auth_secrets=f"{Fernet.generate_key().decode()},{SECRET}") as auth:
        assert await auth.GetKeys(pb.GetKeysRequest()) == keys
        again = await refresh(auth, session, "a")
        assert again.refresh_token == missed.refresh_token
        assert (await refresh(auth, again)).user_id == session.user_id


async def test_expired_sessions_are_forgotten(
    auth: "AuthServiceAsyncStub", connection: asyncpg.Connection, database_url: str
) -> None:
    """By the statement that runs every hour; those that are good stay."""
    gone, stays = await guest(auth), await guest(auth)
    await connection.execute(
        "update auth.session set expires_at = now() - interval '1 second' where user_id = $1", gone.user_id
    )
    day = timedelta(days=1)
    async with postgres.open_pool(database_url) as pool:
        await SessionStore(pool, [b"key"], day, day, day).forget_expired()
    assert await connection.fetchval("select array_agg(user_id) from auth.session") == [stays.user_id]
    assert (await refresh(auth, stays)).user_id == stays.user_id
