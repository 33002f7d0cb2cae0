"""What can be reached through the edge, asked of the protos: every public RPC, and nothing besides."""

import re

import grpc
import httpx2
import pytest
from google.protobuf.descriptor import MethodDescriptor

from tests.support.edge.fake_mesh import FakeMesh
from tests.support.edge.rest_contract import SCAN_ID, Binding, bindings, grpc_path, is_public, rpcs

pytestmark = pytest.mark.asyncio(loop_scope="module")

Metadata = tuple[tuple[str, str], ...]

BINDINGS = list(bindings())
WITH_VARIABLES = [binding for binding in BINDINGS if binding.variables]
PUBLIC = [rpc for rpc in rpcs() if is_public(rpc)]
INTERNAL = [rpc for rpc in rpcs() if not is_public(rpc)]
INFRASTRUCTURE = [
    "/grpc.health.v1.Health/Check",
    "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
    "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
]


def _identity(payload: bytes) -> bytes:
    return payload


@pytest.mark.parametrize("binding", BINDINGS, ids=str)
async def test_every_rest_path_reaches_its_rpc(binding: Binding, mesh: FakeMesh, rest: httpx2.AsyncClient) -> None:
    """Older clients' paths are bindings like any other."""
    response = await rest.request(
        binding.verb, binding.path, json={} if binding.body else None, headers={"Accept": binding.accept}
    )

    assert response.status_code == 200
    (call,) = mesh.calls
    assert call.rpc == binding.rpc
    assert {getattr(call.request, name) for name in binding.variables} <= {SCAN_ID}


@pytest.mark.parametrize("rpc", PUBLIC, ids=grpc_path)
async def test_every_public_rpc_passes_as_grpc(
    rpc: MethodDescriptor, mesh: FakeMesh, channel: grpc.aio.Channel, bearer: Metadata
) -> None:
    """One port serves both."""
    open_call = channel.unary_stream(grpc_path(rpc), _identity, _identity)

    async for _ in open_call(b"", metadata=bearer, timeout=5):
        pass

    assert [call.rpc for call in mesh.calls] == [rpc.full_name]


@pytest.mark.parametrize("path", [*map(grpc_path, INTERNAL), INFRASTRUCTURE[0]])
async def test_what_is_not_public_is_refused_to_grpc(
    path: str, mesh: FakeMesh, channel: grpc.aio.Channel, bearer: Metadata
) -> None:
    """An RPC without an HTTP annotation is for the mesh only, health too."""
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await channel.unary_unary(path, _identity, _identity)(b"", metadata=bearer, timeout=5)

    assert raised.value.code() is grpc.StatusCode.UNIMPLEMENTED
    assert mesh.calls == []


@pytest.mark.parametrize("path", [*map(grpc_path, rpcs()), *INFRASTRUCTURE])
@pytest.mark.parametrize("verb", ["POST", "GET"])
async def test_the_rpcs_own_path_is_not_a_rest_path(
    path: str, verb: str, mesh: FakeMesh, rest: httpx2.AsyncClient
) -> None:
    """The second spelling must not open a second door."""
    response = await rest.request(verb, path, json={} if verb == "POST" else None)

    assert (response.status_code, response.json()["code"]) == (404, grpc.StatusCode.UNIMPLEMENTED.value[0])
    assert mesh.calls == []


@pytest.mark.parametrize("binding", BINDINGS, ids=str)
async def test_another_verb_is_refused(binding: Binding, mesh: FakeMesh, rest: httpx2.AsyncClient) -> None:
    """Without request validation this would be a 200 with an empty body."""
    response = await rest.request("PATCH", binding.path, json={}, headers={"Accept": binding.accept})

    assert response.status_code == 404
    assert mesh.calls == []


@pytest.mark.parametrize("binding", WITH_VARIABLES, ids=str)
async def test_the_query_cannot_overrule_the_path(binding: Binding, mesh: FakeMesh, rest: httpx2.AsyncClient) -> None:
    """The transcoder alone would hand over the id of the query, in any of these spellings."""
    for name in binding.variables:
        camel = re.sub(r"_(\w)", lambda letter: letter[1].upper(), name)
        escaped = f"%{ord(name[0]):02x}{name[1:]}"
        for parameter in (name, camel, escaped, f"after_version=1&{name}"):
            url = f"{binding.path}?{parameter}=another"
            response = await rest.request(
                binding.verb, url, json={} if binding.body else None, headers={"Accept": binding.accept}
            )
            assert response.status_code == 400, parameter

    assert mesh.calls == []


async def test_a_name_is_a_variable_only_where_it_is_one(mesh: FakeMesh, rest: httpx2.AsyncClient) -> None:
    """Another RPC may have a field of that name, for the query."""
    response = await rest.get("/v1/accuracy", params={"provider": "offline"})

    assert response.status_code == 200
    (call,) = mesh.calls
    assert call.request.provider == "offline"


async def test_a_value_in_the_query_may_be_escaped(mesh: FakeMesh, rest: httpx2.AsyncClient) -> None:
    """Only names are held to plain letters: materials are Korean."""
    response = await rest.get("/v1/places", params={"location.latitude": 37.5, "materials": "무색페트병"})

    assert response.status_code == 200
    (call,) = mesh.calls
    assert (call.request.location.latitude, list(call.request.materials)) == (37.5, ["무색페트병"])


async def test_a_long_poll_arrives_with_its_time(mesh: FakeMesh, rest: httpx2.AsyncClient) -> None:
    """The call may take as long as it waits at most."""
    response = await rest.get(f"/v1/scans/{SCAN_ID}", params={"wait": "20s", "after_version": 20003})

    assert response.status_code == 200
    (call,) = mesh.calls
    assert (call.request.wait.seconds, call.request.after_version) == (20, 20003)
    assert call.seconds_left is not None
    assert call.seconds_left > 30
