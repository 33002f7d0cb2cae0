"""The signing keys of all replicas: made once, changed together, published in time."""

from typing import TYPE_CHECKING

import asyncpg
import jwt
from cryptography.fernet import Fernet

from eco2.auth.v1 import auth_service_pb2 as pb
from tests.integration.auth.conftest import SECRET, Serve
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from eco2.auth.v1.auth_service_pb2_grpc import AuthServiceAsyncStub


async def published(auth: "AuthServiceAsyncStub") -> list[str]:
    return [key.kid for key in (await auth.GetKeys(pb.GetKeysRequest())).keys]


async def signs(auth: "AuthServiceAsyncStub") -> str:
    session = await auth.CreateGuest(pb.CreateGuestRequest())
    kid: str = jwt.get_unverified_header(session.access_token)["kid"]
    return kid


async def until_published(auth: "AuthServiceAsyncStub", count: int) -> list[str]:
    async def so_many() -> bool:
        return len(await published(auth)) == count

    await eventually(so_many)
    return await published(auth)


async def until_signed(auth: "AuthServiceAsyncStub", kid: str) -> None:
    async def by_this() -> bool:
        return await signs(auth) == kid

    await eventually(by_this)


async def test_replicas_that_start_together_make_one_key(serve: Serve) -> None:
    """Else what one signs the edge might not know."""
    async with serve() as one, serve() as two, serve() as three:
        kids = [await published(auth) for auth in (one, two, three)]
        assert kids == [kids[0]] * 3
        assert {await signs(auth) for auth in (one, two, three)} == set(kids[0])


async def test_a_restarted_service_signs_with_the_same_key(serve: Serve) -> None:
    """Keys outlive processes."""
    async with serve() as auth:
        before = await signs(auth)
    async with serve() as auth:
        assert await signs(auth) == before


async def test_the_next_key_is_published_by_all_before_any_signs_with_it(
    serve: Serve, connection: asyncpg.Connection
) -> None:
    """And when the old one's tokens have expired it is gone."""
    async with serve(key_reload_seconds=0.05) as one, serve(key_reload_seconds=0.05) as two:
        old = await signs(one)
        # It is nearly thirty days old: the lead of its successor has begun.
        await connection.execute("update auth.signing_key set signs_at = now() - interval '30 days' + interval '1 min'")
        both = [await until_published(auth, 2) for auth in (one, two)]
        assert both[0] == both[1]
        assert [await signs(one), await signs(two)] == [old, old]
        (new,) = {*both[0]} - {old}
        await connection.execute("update auth.signing_key set signs_at = now() where kid = $1", new)
        for auth in (one, two):
            await until_signed(auth, new)
        assert set(await published(one)) == {old, new}
        await connection.execute("update auth.signing_key set signs_at = signs_at - interval '16 minutes'")
        assert [await until_published(auth, 1) for auth in (one, two)] == [[new], [new]]


async def test_keys_are_sealed_in_the_database(serve: Serve, connection: asyncpg.Connection) -> None:
    """A copy of the database forges no token."""
    async with serve() as auth:
        await signs(auth)
    sealed = await connection.fetchval("select sealed from auth.signing_key")
    assert b"PRIVATE KEY" not in sealed
    assert b"PRIVATE KEY" in Fernet(SECRET).decrypt(sealed)


async def test_without_the_secret_a_new_key_signs_and_old_tokens_stay_good(serve: Serve) -> None:
    """A lost secret costs nobody their session."""
    async with serve() as auth:
        old = await signs(auth)
    async with serve(auth_secrets=Fernet.generate_key().decode()) as auth:
        new = await signs(auth)
        assert new != old
        assert set(await published(auth)) == {old, new}


async def test_other_keys_are_published_beside_ours(serve: Serve) -> None:
    """An earlier issuer's tokens stay good while its users come over."""
    other = '{"keys": [{"kty": "EC", "crv": "P-256", "kid": "earlier", "x": "eA", "y": "eQ"}]}'
    async with serve(auth_jwks=other) as auth:
        assert await published(auth) == [await signs(auth), "earlier"]


async def test_a_key_set_may_be_kept_for_five_minutes(auth: "AuthServiceAsyncStub") -> None:
    """A third of the time for which a key is published before it signs."""
    headers = dict(await auth.GetKeys(pb.GetKeysRequest()).initial_metadata())
    assert headers["cache-control"] == "public, max-age=300"
