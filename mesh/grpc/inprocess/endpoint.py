"""Where calls to a service of this process arrive."""

import asyncio
import random
from collections.abc import Sequence
from contextlib import aclosing
from contextvars import Context
from typing import Any, NamedTuple

import grpc
import structlog

from mesh.grpc.inprocess.rpc import Metadata, Rpc
from mesh.grpc.limits import MOST_REQUEST_BYTES, MOST_RESPONSE_BYTES

_log = structlog.get_logger("in-process")


class CallDetails(NamedTuple):
    """What gRPC tells a handler about a call before it reads the request."""

    method: str
    invocation_metadata: Metadata


class Endpoint:
    """One service, as callers in its process see it: absent, SERVING or not.

    A call has a task of its own with an empty context, so that nothing but its metadata passes from caller to handler:
    neither a span, nor what log lines carry, nor the caller's cancellation scopes.
    """

    def __init__(self) -> None:
        self._boundary: Any = None
        self._serving = asyncio.Event()
        self._calls: dict[Rpc, object] = {}

    def open(self, boundary: grpc.GenericRpcHandler) -> None:
        """The service is there; it takes calls once it is said to be SERVING."""
        self._boundary = boundary

    def tell(self, *, serving: bool) -> None:
        """Says whether it is SERVING: calls that come while it isn't wait or fail, as they were asked to."""
        if serving and self._boundary is not None:
            self._serving.set()
        else:
            self._serving.clear()

    @property
    def serving(self) -> bool:
        """Whether it takes calls."""
        return self._serving.is_set()

    async def wait(self) -> None:
        """Waits until it takes calls."""
        await self._serving.wait()

    def close(self) -> None:
        """The service is gone, and calls at work with it."""
        self._boundary = None
        self._serving.clear()
        for rpc in tuple(self._calls):
            rpc.cut(grpc.StatusCode.UNAVAILABLE, "the service has ended")

    def cancel(self, caller: object, details: str) -> None:
        """Cancels a caller's calls."""
        for rpc in [rpc for rpc, owner in self._calls.items() if owner is caller]:
            rpc.cancel(details)

    def call(
        self,
        caller: object,
        rpc: Rpc,
        details: CallDetails,
        request: bytes,
        *,
        wait_for_ready: bool,
        pauses: Sequence[float],
    ) -> None:
        """Sets a handler to work.

        Args:
            caller: Whose call it is.
            rpc: The call.
            details: Its method and metadata.
            request: Its request.
            wait_for_ready: Whether it waits for a service that isn't SERVING, as long as its deadline allows.
            pauses: Seconds before each further try of a call that is UNAVAILABLE.
        """
        self._calls[rpc] = caller
        rpc.when_ended(lambda: self._calls.pop(rpc))
        serving = self._serve(rpc, details, request, wait_for_ready, pauses)
        rpc.begin(asyncio.get_running_loop().create_task(serving, context=Context()))

    async def _serve(
        self, rpc: Rpc, details: CallDetails, request: bytes, wait_for_ready: bool, pauses: Sequence[float]
    ) -> None:
        try:
            for pause in pauses:
                if await self._handle(rpc, details, request, wait_for_ready, again=True):
                    return
                await asyncio.sleep(pause * random.uniform(0.8, 1.2))
            await self._handle(rpc, details, request, wait_for_ready, again=False)
        except asyncio.CancelledError:
            rpc.end(grpc.StatusCode.CANCELLED, "Cancelled by the handler")
        except Exception as error:  # only what isn't ours gets here: the boundary aborts with a status
            _log.exception("handler broke", method=details.method)
            rpc.end(grpc.StatusCode.UNKNOWN, f"Unexpected {type(error)}: {error}")

    async def _handle(
        self, rpc: Rpc, details: CallDetails, request: bytes, wait_for_ready: bool, *, again: bool
    ) -> bool:
        """One try; False if it is to be tried again."""
        if not self._serving.is_set():
            if not wait_for_ready:
                return _ended(rpc, (grpc.StatusCode.UNAVAILABLE, "the service isn't SERVING", ()), again)
            await self._serving.wait()
        handler = self._boundary.service(details)
        if handler is None:
            return _ended(rpc, (grpc.StatusCode.UNIMPLEMENTED, "Method not found!", ()), again)
        if len(request) > MOST_REQUEST_BYTES:
            return _ended(rpc, _too_large("Received", request, MOST_REQUEST_BYTES), again)
        message = handler.request_deserializer(request)
        try:
            if not handler.response_streaming:
                reply = await handler.unary_unary(message, rpc)
                if len(reply) > MOST_RESPONSE_BYTES:
                    return _ended(rpc, _too_large("Sent", reply, MOST_RESPONSE_BYTES), again)
                rpc.put(reply)
            else:
                async with aclosing(handler.unary_stream(message, rpc)) as replies:
                    async for reply in replies:
                        if len(reply) > MOST_RESPONSE_BYTES:
                            return _ended(rpc, _too_large("Sent", reply, MOST_RESPONSE_BYTES), again)
                        await rpc.send(reply)
        except grpc.aio.AbortError:
            return _ended(rpc, rpc.take_abort() or (grpc.StatusCode.UNKNOWN, "", ()), again)
        rpc.end(grpc.StatusCode.OK)
        return True


def _ended(rpc: Rpc, status: tuple[grpc.StatusCode, str, Metadata], again: bool) -> bool:
    """Ends a call with a status, unless it may be tried again: nothing was sent yet, and it is UNAVAILABLE."""
    if again and status[0] is grpc.StatusCode.UNAVAILABLE and rpc.initial is None:
        return False
    rpc.end(*status)
    return True


def _too_large(done: str, message: bytes, most: int) -> tuple[grpc.StatusCode, str, Metadata]:
    return grpc.StatusCode.RESOURCE_EXHAUSTED, f"{done} message larger than max ({len(message)} vs. {most})", ()
