"""Auth behind the real edge, which fetches its keys: sign in, be let in, and keys that change under load."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from pathlib import Path
from typing import Any

import asyncpg
import grpc
import httpx2
import jwt
import pytest

from auth_svc.app import application, rotation_policy
from auth_svc.keys.seal import Seal
from auth_svc.keys.store import KeyStore
from auth_svc.settings import AuthSettings
from eco2.auth.v1.auth_service_pb2 import GetMeRequest
from eco2.auth.v1.auth_service_pb2_grpc import AuthServiceStub
from mesh import postgres
from mesh.grpc.status import from_rpc_error
from mesh.reasons import Reason
from tests.integration.auth.conftest import NOBODY, SECRET
from tests.support.edge.envoy import Issuer, running
from tests.support.edge.own_keys import fetching
from tests.support.http import http_client
from tests.support.ports import free_port
from tests.support.waiting import eventually

CLIENTS = 8
ROTATIONS = 2


@pytest.fixture
def settings(database_url: str, redis_url: str) -> AuthSettings:
    return AuthSettings(
        database_url=database_url,
        redis_url=redis_url,
        listen=f"127.0.0.1:{free_port()}",
        auth_secrets=SECRET,
        scan_target=NOBODY,
        character_target=NOBODY,
        rules_target=NOBODY,
        auth_issuer=Issuer().name,
        auth_clients='{"google": {"id": "us"}}',
        auth_redirects="https://app.example/signed-in",
        drain_seconds=0,
        key_reload_seconds=0.2,
        key_lead_seconds=3600,  # ended by the test, once the edge has the key
    )


@pytest.fixture
def admin_ports() -> list[int]:
    """Where the edge of `rest` is administered."""
    return []


@pytest.fixture
async def rest(settings: AuthSettings, tmp_path: Path, admin_ports: list[int]) -> AsyncIterator[httpx2.AsyncClient]:
    """A REST client of an edge in front of Auth alone."""
    port = int(settings.listen.rpartition(":")[2])

    def change(configuration: dict[str, Any]) -> None:
        fetching(configuration)
        admin_ports.append(configuration["admin"]["address"]["socket_address"]["port_value"])

    async with (
        running(tmp_path, port, change) as edge,
        application(settings),
        http_client(base_url=edge.url, timeout=20) as client,
    ):

        async def let_in() -> bool:
            made = await client.post("/v1/auth/guest", json={})
            return made.is_success and (await client.get("/v1/me", headers=bearer(made.json()))).is_success

        await eventually(let_in)
        yield client


def bearer(session: dict[str, str]) -> dict[str, str]:
    return {"Authorization": f"Bearer {session['access_token']}"}


def signed_by(session: dict[str, str]) -> str:
    kid: str = jwt.get_unverified_header(session["access_token"])["kid"]
    return kid


async def guest(rest: httpx2.AsyncClient) -> dict[str, str]:
    response = await rest.post("/v1/auth/guest", json={})
    assert response.status_code == 200, response.text
    session: dict[str, str] = response.json()
    return session


async def published(rest: httpx2.AsyncClient) -> int:
    return len((await rest.get("/.well-known/jwks.json")).json()["keys"])


async def fetched(admin_port: int) -> int:
    """How often the edge has fetched its keys."""
    async with http_client(timeout=20) as admin:
        stats = await admin.get(f"http://127.0.0.1:{admin_port}/stats?filter=jwks_fetch_success")
    return sum(int(line.rpartition(" ")[2]) for line in stats.text.splitlines())


async def length(known: Collection[object]) -> int:
    return len(known)


async def until(count: Callable[[], Awaitable[int]], most: int) -> None:
    async def reached() -> bool:
        return await count() >= most

    await eventually(reached)


async def test_a_guest_is_let_in_refreshes_and_leaves(rest: httpx2.AsyncClient) -> None:
    """The whole life of a session as REST, without any token but its own; all else needs one."""
    session = await guest(rest)
    me = (await rest.get("/v1/me", headers=bearer(session))).json()
    assert (me["user_id"], me["guest"], me["session_count"]) == (session["user_id"], True, 1)
    for verb, path in (("GET", "/v1/me"), ("POST", "/v1/me:logoutEverywhere")):
        assert (await rest.request(verb, path)).status_code == 401

    # An expired access token, which a client sends along by habit, doesn't keep it from refreshing.
    refreshed = await rest.post(
        "/v1/auth/token:refresh",
        json={"refresh_token": session["refresh_token"]},
        headers={"Authorization": "Bearer expired"},
    )
    session = refreshed.json()
    assert (await rest.get("/v1/me", headers=bearer(session))).json()["user_id"] == me["user_id"]

    assert (await rest.post("/v1/me:logoutEverywhere", json={}, headers=bearer(session))).json() == {}
    ended = await rest.post("/v1/auth/token:refresh", json={"refresh_token": session["refresh_token"]})
    assert (ended.status_code, ended.json()["details"][0]["reason"]) == (401, "SESSION_ENDED")
    assert len(ended.content) < 1024

    session = await guest(rest)
    for _ in range(2):
        left = await rest.post("/v1/auth/token:revoke", json={"refresh_token": session["refresh_token"]})
        assert (left.status_code, left.json()) == (200, {})

    # The key set is JSON as libraries read it, for anybody who checks our tokens.
    response = await rest.get("/.well-known/jwks.json")
    (key,) = jwt.PyJWKSet.from_dict(response.json()).keys
    assert jwt.decode(session["access_token"], key.key, algorithms=["ES256"], audience="eco2")["sub"]
    assert response.headers["cache-control"] == "public, max-age=300"
    assert set(response.json()["keys"][0]) == {"kty", "crv", "alg", "use", "kid", "x", "y"}


async def test_signing_in_takes_a_token_and_needs_none_and_no_bad_one(rest: httpx2.AsyncClient) -> None:
    """A guest's token makes it the guest's, so one that has expired must not go unnoticed. Completing takes none."""
    assert (await rest.get("/v1/auth/providers")).json() == {"providers": [{"provider": "google", "name": "구글"}]}
    beginning = {"redirect_uri": "https://app.example/signed-in", "code_challenge": "a" * 43}
    good, bad = bearer(await guest(rest)), {"Authorization": "Bearer expired"}
    statuses = []
    for headers in ({}, good, bad):
        begun = await rest.post("/v1/auth/google:begin", json=beginning, headers=headers)
        statuses.append(begun.status_code)
    assert statuses == [200, 200, 401]
    completion = {"state": "none", "code": "none", "code_verifier": "a" * 43}
    for headers in ({}, bad):
        refused = await rest.post("/v1/auth/google:complete", json=completion, headers=headers)
        assert (refused.status_code, refused.json()["details"][0]["reason"]) == (400, "SIGN_IN_EXPIRED")


async def test_keys_change_under_load_without_a_failed_call(
    rest: httpx2.AsyncClient, settings: AuthSettings, connection: asyncpg.Connection, admin_ports: list[int]
) -> None:
    """Twice, while clients refresh and call without a pause; and a token of the first key is good to the end.

    A key begins to sign when the edge has fetched it, however slow this machine is: that the lead is longer is what the
    settings say.
    """
    outcomes: Counter[int] = Counter()
    seen: set[str] = set()
    done = asyncio.Event()

    async def client() -> None:
        session = await guest(rest)
        while not done.is_set():
            response = await rest.post("/v1/auth/token:refresh", json={"refresh_token": session["refresh_token"]})
            outcomes[response.status_code] += 1
            session = response.json()
            seen.add(signed_by(session))
            outcomes[(await rest.get("/v1/me", headers=bearer(session))).status_code] += 1

    first = await guest(rest)
    async with postgres.open_pool(settings.database_url.get_secret_value()) as pool, asyncio.TaskGroup() as clients:
        keys = KeyStore(pool, Seal([SECRET]), rotation_policy(settings))
        for _ in range(CLIENTS):
            clients.create_task(client())
        for rotation in range(ROTATIONS):
            await keys.rotate()
            await until(lambda: published(rest), rotation + 2)
            await until(
                lambda: fetched(admin_ports[0]), await fetched(admin_ports[0]) + 2
            )  # one may have been under way
            await connection.execute("update auth.signing_key set signs_at = now() where signs_at > now()")
            await until(lambda: length(seen), rotation + 2)
            await until(lambda: length(list(outcomes.elements())), outcomes.total() + 50)
        assert (await rest.get("/v1/me", headers=bearer(first))).status_code == 200
        done.set()
    assert set(outcomes) == {200}
    assert len(seen) == ROTATIONS + 1
    assert await connection.fetchval("select count(*) from auth.signing_key") == ROTATIONS + 1


async def test_an_edge_without_keys_is_unavailable_until_it_has_them(settings: AuthSettings, tmp_path: Path) -> None:
    """It has started while Auth is away: what token it can't check may be a good one, and is to be tried again."""
    port = int(settings.listen.rpartition(":")[2])
    async with running(tmp_path, port, fetching) as edge, http_client(base_url=edge.url, timeout=20) as client:
        token = {"Authorization": f"Bearer {Issuer().token()}"}
        refused = await client.get("/v1/me", headers=token)
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
        assert refused.json()["details"][0]["reason"] == "UNAVAILABLE"
        async with grpc.aio.insecure_channel(edge.target) as channel:
            call = AuthServiceStub(channel).GetMe(GetMeRequest(), metadata=(("authorization", token["Authorization"]),))
            with pytest.raises(grpc.aio.AioRpcError) as unavailable:
                await call
        error = from_rpc_error(unavailable.value, "edge")
        assert (unavailable.value.code(), error.reason) == (grpc.StatusCode.UNAVAILABLE, Reason.UNAVAILABLE)
        assert (await client.get("/v1/me")).status_code == 401
        assert (await client.get("/v1/me", headers={"Authorization": "Bearer rubbish"})).status_code == 401

        async with application(settings):
            session: dict[str, str] = {}

            async def let_in() -> bool:
                if not session:
                    made = await client.post("/v1/auth/guest", json={})
                    session.update(made.json() if made.is_success else {})
                seen = await client.get("/v1/me", headers=bearer(session)) if session else None
                assert seen is None or seen.status_code in (200, 503)
                return seen is not None and seen.is_success

            await eventually(let_in)
            # From now on a token that is nobody's is what it is.
            assert (await client.get("/v1/me", headers=token)).status_code == 401
