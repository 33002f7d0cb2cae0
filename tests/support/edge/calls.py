"""One request as any RPC, in each of its spellings: what becomes of it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import grpc
import httpx2
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2

from tests.support.edge.rest_contract import Binding, grpc_path

OK = "OK"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a call.

    Attributes:
        reason: OK, or the reason of its refusal.
        code: gRPC's code, in whichever protocol it was called.
        content: The whole response.
    """

    reason: str
    code: int
    content: bytes


@dataclass(frozen=True, slots=True)
class Edge:
    """Calls what an edge serves.

    Args:
        rest: A client of its address, without a token.
        channel: A channel to it.
    """

    rest: httpx2.AsyncClient
    channel: grpc.aio.Channel

    async def over_rest(self, binding: Binding, request: Message, headers: Mapping[str, str]) -> Outcome:
        """Sends a request to one of its RPC's paths."""
        fields = MessageToDict(request, preserving_proto_field_name=True)
        path = binding.template
        for name in binding.variables:
            path = path.replace(f"{{{name}}}", fields.pop(name))
        response = await self.rest.request(
            binding.verb,
            path,
            json=fields if binding.body else None,
            params=None if binding.body else dict(_flat(fields)),
            headers={"Accept": binding.accept, **headers},
        )
        if response.is_success:
            return Outcome(OK, 0, response.content)
        status = response.json()
        return Outcome(status["details"][0]["reason"], status["code"], response.content)

    async def over_grpc(self, rpc: MethodDescriptor, request: Message, headers: Mapping[str, str]) -> Outcome:
        """Calls an RPC; of a stream all messages are read."""
        return await called(self.channel, rpc, request, headers)


async def called(
    channel: grpc.aio.Channel, rpc: MethodDescriptor, request: Message, headers: Mapping[str, str]
) -> Outcome:
    """Calls an RPC of whoever serves a channel."""
    call: Any = channel.unary_stream(grpc_path(rpc))(
        request.SerializeToString(), metadata=[(name.lower(), value) for name, value in headers.items()], timeout=20
    )
    try:
        return Outcome(OK, 0, b"".join([message async for message in call]))
    except grpc.aio.AioRpcError as error:
        details = dict(error.trailing_metadata() or ()).get("grpc-status-details-bin", b"")
        return Outcome(_reason(details, error), error.code().value[0], bytes(details))


def _reason(details: Any, error: grpc.aio.AioRpcError) -> str:
    info = error_details_pb2.ErrorInfo()
    for detail in status_pb2.Status.FromString(details).details:
        if detail.Unpack(info):
            return info.reason
    raise AssertionError(f"no reason: {error}")


def _flat(fields: Mapping[str, Any], within: str = "") -> Iterator[tuple[str, Any]]:
    """The fields as a query names them."""
    for name, value in fields.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{within}{name}.")
        else:
            yield within + name, value
