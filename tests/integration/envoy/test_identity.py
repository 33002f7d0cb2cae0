"""Who a caller is: what the token says, and nothing the caller says."""

import grpc
import httpx2
import pytest

from eco2.character.v1 import character_service_pb2, character_service_pb2_grpc
from tests.support.edge.envoy import Edge
from tests.support.edge.fake_mesh import FakeMesh
from tests.support.edge.strangers import strangers
from tests.support.http import http_client

pytestmark = pytest.mark.asyncio(loop_scope="module")

PATH = "/v1/me/characters"
UNAUTHENTICATED = grpc.StatusCode.UNAUTHENTICATED.value[0]


async def test_the_subject_of_the_token_becomes_the_identity(mesh: FakeMesh, rest: httpx2.AsyncClient) -> None:
    """The services believe this header and no other; the token itself stays at the edge."""
    await rest.get(PATH)

    (call,) = mesh.calls
    assert call.metadata["eco2-user-id"] == "user-1"
    assert "authorization" not in call.metadata


@pytest.mark.parametrize("scheme", ["bearer", "BEARER"])
async def test_the_scheme_may_be_written_in_any_usual_case(
    scheme: str, mesh: FakeMesh, edge: Edge, rest: httpx2.AsyncClient
) -> None:
    """HTTP compares it without case, and clients differ."""
    response = await rest.get(PATH, headers={"Authorization": f"{scheme} {edge.issuer.token()}"})

    assert response.status_code == 200
    (call,) = mesh.calls
    assert call.metadata["eco2-user-id"] == "user-1"
    assert "authorization" not in call.metadata


@pytest.mark.parametrize("header", ["eco2-user-id", "Eco2-User-Id", "eco2-anything", "x-envoy-max-retries"])
async def test_an_identity_from_outside_is_dropped(header: str, mesh: FakeMesh, rest: httpx2.AsyncClient) -> None:
    """Nor may a client give Envoy orders."""
    await rest.get(PATH, headers={header: "somebody-else"})

    (call,) = mesh.calls
    assert "somebody-else" not in call.metadata.values()
    assert call.metadata["eco2-user-id"] == "user-1"


async def test_an_identity_from_outside_is_dropped_from_grpc(mesh: FakeMesh, edge: Edge) -> None:
    """The same rule for the other protocol, with the header sent twice."""
    metadata = (
        ("eco2-user-id", "somebody-else"),
        ("eco2-user-id", "another"),
        ("authorization", f"Bearer {edge.issuer.token()}"),
    )
    async with grpc.aio.insecure_channel(edge.target) as channel:
        characters = character_service_pb2_grpc.CharacterServiceStub(channel)
        await characters.ListOwnedCharacters(
            character_service_pb2.ListOwnedCharactersRequest(), metadata=metadata, timeout=5
        )

    (call,) = mesh.calls
    assert call.metadata["eco2-user-id"] == "user-1"


async def test_a_token_without_subject_gives_no_identity(mesh: FakeMesh, edge: Edge, rest: httpx2.AsyncClient) -> None:
    """The services then answer UNAUTHENTICATED: it fails closed."""
    headers = {"Authorization": f"Bearer {edge.issuer.token(sub=None)}", "eco2-user-id": "somebody-else"}
    await rest.get(PATH, headers=headers)

    (call,) = mesh.calls
    assert "eco2-user-id" not in call.metadata


async def test_no_other_token_passes(mesh: FakeMesh, edge: Edge) -> None:
    """Each is refused with a Status that tells client and user what to do."""
    issuer = edge.issuer
    async with http_client(base_url=edge.url) as client:
        for fault, header in strangers(issuer.key, "test", issuer.name, issuer.audience, "user-1").items():
            response = await client.get(PATH, headers={"Authorization": header} if header is not None else {})

            assert response.status_code == 401, fault
            assert response.json()["code"] == UNAUTHENTICATED
            assert response.json()["details"][0]["reason"] == "UNAUTHENTICATED"

    assert mesh.calls == []


@pytest.mark.parametrize("subject", ["a\nb", "a\rb", "a\0b", "\0", "\x1f", "a\x7f", "\n"], ids=ascii)
async def test_a_subject_that_no_header_can_carry_is_unauthenticated(
    subject: str, mesh: FakeMesh, edge: Edge, channel: grpc.aio.Channel
) -> None:
    """On its way to the service it would fail as a fault of ours."""
    authorization = f"Bearer {edge.issuer.token(sub=subject)}"
    async with http_client(base_url=edge.url) as stranger:
        response = await stranger.get(PATH, headers={"Authorization": authorization})
    characters = character_service_pb2_grpc.CharacterServiceStub(channel)
    request = character_service_pb2.ListCharactersRequest()
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await characters.ListCharacters(request, metadata=(("authorization", authorization),), timeout=5)

    assert (response.status_code, response.json()["details"][0]["reason"]) == (401, "UNAUTHENTICATED")
    assert raised.value.code() is grpc.StatusCode.UNAUTHENTICATED
    assert mesh.calls == []


async def test_a_token_in_the_query_does_not_count(mesh: FakeMesh, edge: Edge) -> None:
    """Addresses end up in logs."""
    async with http_client(base_url=edge.url) as stranger:
        response = await stranger.get(PATH, params={"access_token": edge.issuer.token()})

    assert response.status_code == 401
    assert mesh.calls == []


async def test_grpc_without_a_token_is_unauthenticated(mesh: FakeMesh, edge: Edge) -> None:
    """gRPC clients get a status, not JSON."""
    async with grpc.aio.insecure_channel(edge.target) as channel:
        characters = character_service_pb2_grpc.CharacterServiceStub(channel)
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await characters.ListCharacters(character_service_pb2.ListCharactersRequest(), timeout=5)

    assert raised.value.code() is grpc.StatusCode.UNAUTHENTICATED
    assert mesh.calls == []


async def test_health_needs_no_token(edge: Edge) -> None:
    """Load balancers have none."""
    async with http_client(base_url=edge.url) as stranger:
        assert (await stranger.get("/healthz")).status_code == 200


async def test_the_language_passes_and_the_request_gets_an_id(mesh: FakeMesh, rest: httpx2.AsyncClient) -> None:
    """The id is ours, so that nobody can forge log lines; the client learns it for support."""
    response = await rest.get(PATH, headers={"Accept-Language": "en-US,ko;q=0.5", "X-Request-Id": "mine"})

    (call,) = mesh.calls
    assert call.metadata["accept-language"] == "en-US,ko;q=0.5"
    assert response.headers["x-request-id"] == call.metadata["x-request-id"] != "mine"


async def test_the_access_log_keeps_secrets_and_places_out(edge: Edge, rest: httpx2.AsyncClient) -> None:
    """A query may hold where somebody is, a header their token."""
    response = await rest.get("/v1/places", params={"location.latitude": 37.123})
    line = await edge.output.containing(response.headers["x-request-id"])

    assert '"path":"/v1/places"' in line
    assert "37.123" not in line
    assert rest.headers["Authorization"] not in line
