"""Calls until one is refused."""

import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import grpc
import httpx2
from google.rpc import error_details_pb2, status_pb2

from ratelimit_svc.limits import WINDOW_SECONDS

Call = Callable[[], Awaitable[bool]]


async def let_through(call: Call, limit: int, refill: int | None = None) -> None:
    """Calls until it is refused; it must be right after as many calls as the limit allows.

    A bucket refills meanwhile: on a slow machine some calls more come through.

    Args:
        call: One call; whether it went through.
        limit: Calls that are left.
        refill: Calls in a minute; the same unless told.
    """
    began, passed = time.monotonic(), 0
    while await call():
        passed += 1
        assert passed <= limit + (refill or limit) * (time.monotonic() - began) / WINDOW_SECONDS + 1
    assert passed >= limit


def over_grpc(channel: grpc.aio.Channel, rpc: str, headers: Callable[[], Mapping[str, str]]) -> Call:
    """A call with an empty message; whatever comes of it, it went through unless it was too much.

    Args:
        channel: To the edge.
        rpc: Such as "eco2.scan.v1.ScanService/GetScan".
        headers: Of the next call.
    """
    streams = rpc.rpartition("/")[2] in ("WatchScan", "StreamEvents")

    async def call() -> bool:
        try:
            metadata = tuple(headers().items())
            if streams:
                async for _ in channel.unary_stream(f"/{rpc}")(b"", metadata=metadata, timeout=20):
                    pass
            elif "reflection" in rpc:
                async for _ in channel.stream_stream(f"/{rpc}")(iter([b""]), metadata=metadata, timeout=20):
                    pass
            else:
                await channel.unary_unary(f"/{rpc}")(b"", metadata=metadata, timeout=20)
        except grpc.aio.AioRpcError as error:
            return error.code() is not grpc.StatusCode.RESOURCE_EXHAUSTED
        return True

    return call


def over_rest(client: httpx2.AsyncClient, verb: str, path: str, **options: Any) -> Call:
    """A call; it must go through or be too much, never fail."""

    async def call() -> bool:
        response = await client.request(verb, path, **options)
        assert response.status_code in (200, 401, 429), response.text
        return response.status_code != 429

    return call


def details(status: status_pb2.Status) -> dict[str, Any]:
    """An error's details by their kinds; texts for users by language."""
    found: dict[str, Any] = {}
    kinds = (error_details_pb2.ErrorInfo, error_details_pb2.RetryInfo, error_details_pb2.LocalizedMessage)
    for detail in status.details:
        (one,) = (kind() for kind in kinds if detail.Is(kind.DESCRIPTOR))
        detail.Unpack(one)
        found[one.locale if detail.Is(kinds[2].DESCRIPTOR) else one.DESCRIPTOR.name] = one
    return found
