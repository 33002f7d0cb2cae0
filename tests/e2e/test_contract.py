"""What the protos promise exists: every RPC answers, every service is listed, every reason is raised."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message_factory import GetMessageClass
from grpc_reflection.v1alpha import reflection_pb2

from mesh.grpc.identity import USER_HEADER
from mesh.reasons import Reason
from tests.support.edge.rest_contract import is_public, rpcs, served_by

ROOT = Path(__file__).parents[2]
# They tell of what is to come, for ever; at once they say where they begin.
ENDLESS = {f"eco2.events.v1.EventsService.{name}" for name in ("SubscribeEvents", "StreamEvents")}


def target(stack: Mapping[str, str], method: MethodDescriptor) -> str:
    return stack[f"ECO2_{served_by(method).upper()}_TARGET"]


@pytest.mark.parametrize("method", list(rpcs()), ids=lambda method: method.full_name.removeprefix("eco2."))
async def test_every_rpc_is_implemented(stack: Mapping[str, str], method: MethodDescriptor) -> None:
    """An empty request may be refused, but never with UNIMPLEMENTED or INTERNAL."""
    request, response = GetMessageClass(method.input_type), GetMessageClass(method.output_type)
    path = f"/{method.containing_service.full_name}/{method.name}"
    async with grpc.aio.insecure_channel(target(stack, method)) as channel:
        make: Any = channel.unary_stream if method.server_streaming else channel.unary_unary
        call = make(path, request.SerializeToString, response.FromString)(
            request(), metadata=((USER_HEADER, "contract"),), timeout=10
        )
        if method.full_name in ENDLESS:
            assert await call.read()
            return
        code = await call.code()
    assert code in {grpc.StatusCode.OK, grpc.StatusCode.INVALID_ARGUMENT}


Ask = Callable[[reflection_pb2.ServerReflectionRequest], Awaitable[reflection_pb2.ServerReflectionResponse]]


@asynccontextmanager
async def reflection(target: str, version: str, token: str | None = None) -> AsyncIterator[Ask]:
    """Asks one question after the other on one stream, as grpcurl does."""
    metadata = (("authorization", f"Bearer {token}"),) if token else ()
    async with grpc.aio.insecure_channel(target) as channel:
        call = channel.stream_stream(
            f"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo",
            reflection_pb2.ServerReflectionRequest.SerializeToString,
            reflection_pb2.ServerReflectionResponse.FromString,
        )(metadata=metadata)

        async def ask(question: reflection_pb2.ServerReflectionRequest) -> Any:
            await call.write(question)
            return await call.read()

        yield ask
        call.cancel()


async def described(ask: Ask) -> set[str]:
    """The services that are listed, each of which can be described with all its types."""
    listed = await ask(reflection_pb2.ServerReflectionRequest(list_services=""))
    names = {one.name for one in listed.list_services_response.service}
    for name in names:
        answer = await ask(reflection_pb2.ServerReflectionRequest(file_containing_symbol=name))
        assert answer.file_descriptor_response.file_descriptor_proto, name
    return names


@pytest.mark.parametrize("version", ["v1", "v1alpha"])
@pytest.mark.parametrize("service", ["SCAN", "VISION", "RULES", "CHARACTER", "AUTH"])
async def test_reflection_describes_every_service_with_its_types(
    stack: Mapping[str, str], service: str, version: str
) -> None:
    """`grpcurl list` and `describe` need the descriptors of everything that is imported, too."""
    async with asyncio.timeout(10), reflection(stack[f"ECO2_{service}_TARGET"], version) as ask:
        assert "grpc.health.v1.Health" in await described(ask)


@pytest.mark.parametrize("version", ["v1", "v1alpha"])
async def test_reflection_through_the_edge_tells_what_the_edge_serves(stack: Mapping[str, str], version: str) -> None:
    """With a token, and nothing of what is for the mesh alone."""
    async with asyncio.timeout(10), reflection(stack["ECO2_GRPC_TARGET"], version, stack["ECO2_TOKEN"]) as ask:
        assert await described(ask) == {method.containing_service.full_name for method in rpcs() if is_public(method)}


async def test_reflection_through_the_edge_needs_a_token(stack: Mapping[str, str]) -> None:
    """Like everything else there."""
    path = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"
    async with grpc.aio.insecure_channel(stack["ECO2_GRPC_TARGET"]) as channel:
        assert await channel.stream_stream(path)(iter([b""]), timeout=10).code() is grpc.StatusCode.UNAUTHENTICATED


def test_every_reason_is_raised_by_somebody() -> None:
    """A reason nobody raises is a promise to clients that isn't kept."""
    code = "".join(path.read_text(encoding="utf-8") for path in ROOT.glob("*_svc/**/*.py"))
    tables = {"errors.py", "status.py"}  # these only name them
    code += "".join(path.read_text(encoding="utf-8") for path in ROOT.glob("mesh/**/*.py") if path.name not in tables)
    by_the_edge = re.findall(r"reason: ([A-Z_]+)", (ROOT / "envoy/edge.yaml").read_text(encoding="utf-8"))
    assert set(Reason.__members__) <= {*re.findall(r"Reason\.([A-Z_]+)", code), *by_the_edge}
