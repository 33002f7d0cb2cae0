"""What the protos promise exists: every RPC answers, every service is listed, every reason is raised."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message_factory import GetMessageClass
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from eco2.auth.v1 import auth_service_pb2
from eco2.character.v1 import character_service_pb2
from eco2.rules.v1 import rules_service_pb2
from eco2.scan.v1 import event_stream_service_pb2, operations_service_pb2, scan_service_pb2
from eco2.vision.v1 import vision_service_pb2
from mesh.grpc.identity import USER_HEADER
from mesh.reasons import Reason

ROOT = Path(__file__).parents[2]
MODULES = (
    auth_service_pb2,
    character_service_pb2,
    event_stream_service_pb2,
    operations_service_pb2,
    rules_service_pb2,
    scan_service_pb2,
    vision_service_pb2,
)


def methods() -> Iterator[MethodDescriptor]:
    for module in MODULES:
        for service in module.DESCRIPTOR.services_by_name.values():
            yield from service.methods


def target(stack: Mapping[str, str], method: MethodDescriptor) -> str:
    return stack[f"ECO2_{method.containing_service.full_name.split('.')[1].upper()}_TARGET"]


@pytest.mark.parametrize("method", list(methods()), ids=lambda method: method.full_name.removeprefix("eco2."))
async def test_every_rpc_is_implemented(stack: Mapping[str, str], method: MethodDescriptor) -> None:
    """An empty request may be refused, but never with UNIMPLEMENTED or INTERNAL."""
    request, response = GetMessageClass(method.input_type), GetMessageClass(method.output_type)
    path = f"/{method.containing_service.full_name}/{method.name}"
    async with grpc.aio.insecure_channel(target(stack, method)) as channel:
        make: Any = channel.unary_stream if method.server_streaming else channel.unary_unary
        call = make(path, request.SerializeToString, response.FromString)(
            request(), metadata=((USER_HEADER, "contract"),), timeout=10
        )
        code = await call.code()
    assert code in {grpc.StatusCode.OK, grpc.StatusCode.INVALID_ARGUMENT}


@pytest.mark.parametrize("service", ["SCAN", "VISION", "RULES", "CHARACTER", "AUTH"])
async def test_reflection_describes_every_service_with_its_types(stack: Mapping[str, str], service: str) -> None:
    """`grpcurl list` and `describe` need the descriptors of everything that is imported, too."""
    async with grpc.aio.insecure_channel(stack[f"ECO2_{service}_TARGET"]) as channel:
        stub: Any = reflection_pb2_grpc.ServerReflectionStub(channel)
        ask = reflection_pb2.ServerReflectionRequest

        async def answer(request: reflection_pb2.ServerReflectionRequest) -> Any:
            call = stub.ServerReflectionInfo(iter([request]))
            reply = await call.read()
            call.cancel()
            return reply

        listed = (await answer(ask(list_services=""))).list_services_response.service
        names = {one.name for one in listed}
        assert "grpc.health.v1.Health" in names
        for name in names:
            described = await answer(ask(file_containing_symbol=name))
            assert described.file_descriptor_response.file_descriptor_proto, name


def test_every_reason_is_raised_by_somebody() -> None:
    """A reason nobody raises is a promise to clients that isn't kept."""
    code = "".join(path.read_text(encoding="utf-8") for path in ROOT.glob("*_svc/**/*.py"))
    tables = {"errors.py", "status.py"}  # these only name them
    code += "".join(path.read_text(encoding="utf-8") for path in ROOT.glob("mesh/**/*.py") if path.name not in tables)
    by_the_edge = re.findall(r"reason: ([A-Z_]+)", (ROOT / "envoy/edge.yaml").read_text(encoding="utf-8"))
    assert set(Reason.__members__) <= {*re.findall(r"Reason\.([A-Z_]+)", code), *by_the_edge}
