"""A mesh that records what reaches it and answers what a test tells it to."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1.health import aio as health_aio

from tests.support.edge.rest_contract import services

Answer = Callable[[Any, Any], Awaitable[Message]]
Stream = Callable[[Any, Any], AsyncIterator[Message]]


@dataclass(frozen=True, slots=True)
class Call:
    """One RPC that came through.

    Attributes:
        rpc: Full name.
        request: What was asked.
        metadata: Headers.
        seconds_left: Time until its deadline; None without one.
    """

    rpc: str
    request: Any
    metadata: dict[str, str | bytes]
    seconds_left: float | None


@dataclass(slots=True)
class FakeMesh:
    """All services of the mesh on one port. Unless told otherwise, each RPC answers with an empty message.

    Attributes:
        calls: What came through, oldest first.
        answers: How a unary RPC answers, by full name.
        streams: How a streaming RPC answers, by full name.
    """

    calls: list[Call] = field(default_factory=list)
    answers: dict[str, Answer] = field(default_factory=dict)
    streams: dict[str, Stream] = field(default_factory=dict)

    def forget(self) -> None:
        """Back to the start, for the next test."""
        self.calls.clear()
        self.answers.clear()
        self.streams.clear()

    @asynccontextmanager
    async def serving(
        self, port: int, credentials: grpc.ServerCredentials | None = None, *options: tuple[str, int]
    ) -> AsyncIterator[None]:
        """Serves on loopback until the block is left.

        Args:
            port: Where.
            credentials: Asks for certificates; None: by plain text.
            options: More of gRPC's options.
        """
        # Over 1,000 calls that wait to be accepted, gRPC cancels some at random; a burst of watches is more than that.
        own = [("grpc.so_reuseport", 0), ("grpc.server.max_pending_requests", 2500)]
        server = grpc.aio.server(options=[*own, *options])
        health = health_aio.HealthServicer()
        health_pb2_grpc.add_HealthServicer_to_server(health, server)
        for service in (one for one in services() if one.full_name.startswith("eco2.")):
            handlers = {rpc.name: self._handler(rpc) for rpc in service.methods}
            server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service.full_name, handlers),))
            await health.set(service.full_name, health_pb2.HealthCheckResponse.SERVING)
        if credentials:
            server.add_secure_port(f"127.0.0.1:{port}", credentials)
        else:
            server.add_insecure_port(f"127.0.0.1:{port}")
        await server.start()
        try:
            yield
        finally:
            await server.stop(0)

    def _handler(self, rpc: MethodDescriptor) -> Any:
        request_type, response_type = GetMessageClass(rpc.input_type), GetMessageClass(rpc.output_type)

        async def unary(request: Message, context: Any) -> Message:
            self._record(rpc, request, context)
            answer = self.answers.get(rpc.full_name)
            return await answer(request, context) if answer else response_type()

        async def stream(request: Message, context: Any) -> AsyncIterator[Message]:
            self._record(rpc, request, context)
            answer = self.streams.get(rpc.full_name)
            if answer is None:
                yield response_type()
                return
            async for message in answer(request, context):
                yield message

        if rpc.server_streaming:
            return grpc.unary_stream_rpc_method_handler(
                stream, request_type.FromString, response_type.SerializeToString
            )
        return grpc.unary_unary_rpc_method_handler(unary, request_type.FromString, response_type.SerializeToString)

    def _record(self, rpc: MethodDescriptor, request: Message, context: Any) -> None:
        metadata = dict(context.invocation_metadata())
        self.calls.append(Call(rpc.full_name, request, metadata, context.time_remaining()))
