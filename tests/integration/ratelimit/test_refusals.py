"""What a client is told when it calls too often, and that it is true."""

import asyncio
import base64
import re
import uuid
from collections.abc import Mapping
from typing import Any

import grpc
import pytest
from google.protobuf import json_format
from google.rpc import status_pb2

from local.cli import exit_status
from local.cli.api.errors import ApiError
from local.cli.api.rest import Question, ScanClient
from local.cli.api.rules import RulesClient
from mesh.locale import Locale
from mesh.reasons import TEXTS, Reason
from tests.integration.ratelimit.calls import details, let_through, over_grpc, over_rest
from tests.integration.ratelimit.conftest import TIGHT, LimitedEdge
from tests.support.http import http_client
from tests.support.own_redis import OwnRedis

pytestmark = pytest.mark.asyncio(loop_scope="module")

CREATE, READ = "eco2.scan.v1.ScanService/CreateScan", "eco2.scan.v1.ScanService/ListScans"
CREATIONS, READS = TIGHT["create"]["user"], TIGHT["read"]["user"]
REST: dict[str, tuple[str, str, dict[str, Any]]] = {
    CREATE: ("POST", "/v1/scans", {"json": {}}),
    READ: ("GET", "/v1/scans", {}),
}
LIMITS = [
    pytest.param(CREATE, CREATIONS, id="counted for all edges"),
    pytest.param(READ, READS, id="counted by the edge"),
]


def told(status: status_pb2.Status, headers: Mapping[str, str]) -> dict[str, Any]:
    """What an error says, once it is known that its parts say the same."""
    found = details(status)
    assert status.code == grpc.StatusCode.RESOURCE_EXHAUSTED.value[0]
    assert (found["ErrorInfo"].reason, found["ErrorInfo"].domain) == ("RATE_LIMIT", "eco2.app")
    assert found["ErrorInfo"].metadata["window_seconds"] == "60"
    assert found["RetryInfo"].retry_delay.seconds == int(headers["retry-after"]) >= 1
    assert headers["x-ratelimit-remaining"] == "0"
    assert headers["x-ratelimit-reset"] == headers["retry-after"]
    return found


@pytest.mark.parametrize(("rpc", "limit"), LIMITS)
async def test_rest_clients_get_the_usual_json(rpc: str, limit: int, limited: LimitedEdge) -> None:
    """429 with the same parts as any other error."""
    verb, path, options = REST[rpc]
    async with limited.client() as client:
        await let_through(over_rest(client, verb, path, **options), limit)
        refused = await client.request(verb, path, headers={"accept-language": "en"}, **options)
        while refused.status_code == 200:  # refilled meanwhile
            refused = await client.request(verb, path, headers={"accept-language": "en"}, **options)

    assert (refused.status_code, refused.headers["content-type"]) == (429, "application/json")
    status = json_format.ParseDict(refused.json(), status_pb2.Status())
    found = told(status, refused.headers)
    assert found["en"].message == status.message


async def test_who_is_over_a_shared_limit_learns_which(limited: LimitedEdge) -> None:
    """Also before: how much is left, and of which limits."""
    async with limited.client() as client:
        first = await client.post("/v1/scans", json={})
        await let_through(over_rest(client, "POST", "/v1/scans", json={}), CREATIONS - 1)
        refused = await client.post("/v1/scans", json={})

    policy = f'{CREATIONS};w=60;name="user"'
    addresses = f'{TIGHT["create"]["address"]};w=60;name="address"'
    assert first.headers["x-ratelimit-limit"] == f"{CREATIONS}, {policy}, {addresses}"
    assert first.headers["x-ratelimit-remaining"] == str(CREATIONS - 1)
    assert refused.headers["x-ratelimit-limit"] == f"{CREATIONS}, {policy}"
    (info, _, text) = refused.json()["details"]
    assert info["metadata"] == {"rpc": "CreateScan", "most": str(CREATIONS), "window_seconds": "60"}
    assert text["locale"] == "ko"
    assert text["message"] == TEXTS[Reason.RATE_LIMIT][Locale.KO].format(window_seconds=60, most=CREATIONS)


@pytest.mark.parametrize("language", ["ko", "en"])
@pytest.mark.parametrize(("rpc", "limit"), LIMITS)
async def test_grpc_clients_get_a_status_in_their_language(
    rpc: str, limit: int, language: str, limited: LimitedEdge, channel: grpc.aio.Channel
) -> None:
    """RESOURCE_EXHAUSTED with details, where a service's own error would be."""
    headers = {**limited.headers(), "accept-language": language}
    await let_through(over_grpc(channel, rpc, lambda: headers), limit)
    error = await refusal(channel, rpc, headers)

    trailers = dict(error.trailing_metadata() or ())
    status = status_pb2.Status.FromString(trailers["grpc-status-details-bin"])
    assert error.details() == status.message
    assert language in told(status, trailers)


@pytest.mark.parametrize(("rpc", "limit"), LIMITS)
async def test_browsers_get_it_in_headers(
    rpc: str, limit: int, limited: LimitedEdge, channel: grpc.aio.Channel
) -> None:
    """gRPC-Web: as gRPC, and a page may read it. By HTTP's status 429 its clients would take it for UNAVAILABLE."""
    headers = limited.headers()
    await let_through(over_grpc(channel, rpc, lambda: headers), limit)
    web = {**headers, "origin": "https://app.test", "content-type": "application/grpc-web+proto", "x-grpc-web": "1"}
    async with http_client(base_url=limited.edge.url, headers=web) as browser:
        refused = await browser.post(f"/{rpc}", content=bytes(5))
        while refused.headers.get("grpc-status") != "8":  # refilled meanwhile
            refused = await browser.post(f"/{rpc}", content=bytes(5))

    assert (refused.status_code, refused.headers["content-type"]) == (200, "application/grpc-web+proto")
    packed = refused.headers["grpc-status-details-bin"]
    told(status_pb2.Status.FromString(base64.b64decode(packed + "=" * (-len(packed) % 4))), refused.headers)
    assert {"retry-after", "x-ratelimit-reset", "grpc-status-details-bin"} <= {
        name.strip() for name in refused.headers["access-control-expose-headers"].split(",")
    }


@pytest.mark.parametrize(("locale", "text"), [(Locale.KO, "너무 자주 요청했어요."), (Locale.EN, "Too many requests")])
async def test_the_eco2_command_says_when_to_come_again(locale: Locale, text: str, limited: LimitedEdge) -> None:
    """In a line."""
    user = f"user-{uuid.uuid4().hex}"
    token = limited.headers(user)["authorization"].removeprefix("Bearer ")
    async with limited.client(user) as client:
        await let_through(over_rest(client, "GET", "/v1/places"), TIGHT["places"]["user"])
        await let_through(over_rest(client, "POST", "/v1/scans", json={}), CREATIONS)

    def search() -> None:
        with RulesClient(limited.edge.url, token, locale) as rules:
            rules.places((37.5, 126.9), (), 3000, 5)

    def scan() -> None:
        with ScanClient(limited.edge.url, token, locale) as scans:
            scans.scan(b"photo", "image/jpeg", Question())

    for command in (search, scan):
        with pytest.raises(ApiError) as refused:
            await asyncio.to_thread(command)
        ending = exit_status.of(refused.value)
        assert ending is not None
        assert re.fullmatch(rf"RATE_LIMIT: {text}.*\(try again in \d+ s\)", ending.line)


async def test_after_that_time_the_call_goes_through(limited: LimitedEdge) -> None:
    """And not before, to the second."""
    user = f"user-{uuid.uuid4().hex}"
    async with limited.client(user) as client:
        await let_through(over_rest(client, "POST", "/v1/scans", json={}), CREATIONS)
        seconds = int((await client.post("/v1/scans", json={})).headers["retry-after"])
        assert 1 <= seconds <= 60 / CREATIONS

        await pass_time(limited.redis, f"ratelimit:user:{user}:CreateScan", seconds)
        assert (await client.post("/v1/scans", json={})).status_code == 200
        again = await client.post("/v1/scans", json={})
        assert again.status_code == 429
        assert int(again.headers["retry-after"]) > 60 / CREATIONS - 5


async def test_a_limit_of_the_edge_refills_each_second(limited: LimitedEdge) -> None:
    """Envoy's clock can't be set; that its Retry-After is true is what the least limit is for."""
    async with limited.client() as client:
        call = over_rest(client, "GET", "/v1/scans")
        await let_through(call, READS)
        while not await call():
            pass
    assert READS >= 60


async def refusal(channel: grpc.aio.Channel, rpc: str, headers: Mapping[str, str]) -> grpc.aio.AioRpcError:
    """The error of a call that is one too many; a bucket may have refilled meanwhile."""
    while True:
        try:
            await channel.unary_unary(f"/{rpc}")(b"", metadata=tuple(headers.items()), timeout=20)
        except grpc.aio.AioRpcError as error:
            return error


async def pass_time(server: OwnRedis, key: str, seconds: float) -> None:
    """Makes a bucket as much older."""
    async with server.client() as redis:
        full = int(await redis.get(key))
        await redis.set(key, full - round(seconds * 1e6), keepttl=True)
