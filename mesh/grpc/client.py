"""Calls to a peer of the mesh: a deadline on every one, traces passed on, errors unwrapped."""

import asyncio
import contextlib
import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import AbstractContextManager, asynccontextmanager
from functools import cache, partial
from typing import Any

import grpc
from google.protobuf.descriptor import Descriptor
from opentelemetry.trace import Span

from mesh.errors import EcoError
from mesh.grpc.certificates import CertificateFiles, expecting
from mesh.grpc.host import Host
from mesh.grpc.identity import on_behalf_of
from mesh.grpc.limits import MOST_RESPONSE_BYTES
from mesh.grpc.renewed_channel import RenewedChannel
from mesh.grpc.status import from_rpc_error
from mesh.observability import telemetry, tracing
from mesh.settings import Misconfigured, TlsFiles

# The target of a service in this process.
IN_PROCESS = "in-process"

_TRIES = 3
_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 0.5

# How long a stream may take to end after its last message, of which nobody needs to wait for the end.
_END_SECONDS = 1.0


@asynccontextmanager
async def open_channel(
    caller: str,
    target: str,
    service: str,
    retried: Sequence[str] = (),
    *,
    tls: TlsFiles | None = None,
    host: Host | None = None,
) -> AsyncIterator[grpc.aio.Channel]:
    """A channel to all replicas behind `target`, closed at exit.

    Args:
        caller: Who calls, as `mesh.grpc.access` names it; over a connection the certificate says it.
        target: `host:port`, `dns:///name:port` for a headless service, or IN_PROCESS.
        service: Full name of the service; replicas that say NOT_SERVING are skipped.
        retried: Methods of it that may be sent again on UNAVAILABLE: idempotent and cheap ones.
        tls: The caller's certificates; None: by plain text.
        host: What serves this process, where the service may be.

    Raises:
        Misconfigured: It should be in this process, which serves nothing else; or the certificates can't be used.
    """
    opening: grpc.aio.Channel
    options = _options(service, retried)
    if target == IN_PROCESS:
        if host is None:
            raise Misconfigured(f"{service} isn't in this process: set its target to an address")
        pauses = [min(_FIRST_PAUSE * 2**number, _LONGEST_PAUSE) for number in range(_TRIES - 1)]
        opening = host.channel(caller, service, [f"/{service}/{method}" for method in retried], pauses)
    elif tls:
        # Whatever the address is: the service itself must answer, not just somebody with a certificate.
        opens = partial(_secure_channel, target, (*options, *expecting(service)))
        opening = RenewedChannel(CertificateFiles(tls), opens)
    else:
        opening = grpc.aio.insecure_channel(target, options=options)
    async with opening as channel:
        yield channel


def _secure_channel(
    target: str, options: Sequence[tuple[str, Any]], credentials: grpc.ChannelCredentials
) -> grpc.aio.Channel:
    return grpc.aio.secure_channel(target, credentials, options=options)


def _options(service: str, retried: Sequence[str]) -> Sequence[tuple[str, Any]]:
    config: dict[str, Any] = {
        "loadBalancingConfig": [{"round_robin": {}}],
        "healthCheckConfig": {"serviceName": service},
    }
    if retried:
        config["methodConfig"] = [
            {
                # Never a `timeout` here: it fires early and isn't sent to the peer.
                "name": [{"service": service, "method": method} for method in retried],
                "retryPolicy": {
                    "maxAttempts": _TRIES,
                    "initialBackoff": f"{_FIRST_PAUSE}s",
                    "maxBackoff": f"{_LONGEST_PAUSE}s",
                    "backoffMultiplier": 2,
                    "retryableStatusCodes": ["UNAVAILABLE"],
                },
            }
        ]
        config["retryThrottling"] = {"maxTokens": 20, "tokenRatio": 0.1}
    return [
        ("grpc.service_config", json.dumps(config)),
        ("grpc.max_receive_message_length", MOST_RESPONSE_BYTES),
        ("grpc.max_reconnect_backoff_ms", 2000),
    ]


class Peer:
    """How a service calls another one.

    A call waits for a peer that is just restarting, as long as its deadline allows: a refused connection costs no try.

    Args:
        name: The peer's name in errors.
    """

    def __init__(self, name: str) -> None:
        self._name = name

    async def call(self, method: Callable[..., Any], request: Any, *, timeout: float, user_id: str = "") -> Any:
        """One unary call.

        Args:
            method: The stub's method.
            request: Its request.
            timeout: Seconds that remain; sent to the peer as its deadline.
            user_id: On whose behalf; empty if the peer needn't know.

        Raises:
            EcoError: What the peer answered, or Unavailable when it can't be reached.
        """
        with _span(request) as span:
            metadata, code = _metadata(span, user_id), grpc.StatusCode.CANCELLED
            try:
                reply = await method(request, timeout=timeout, metadata=metadata, wait_for_ready=True)
                code = grpc.StatusCode.OK
                return reply
            except grpc.aio.AioRpcError as error:
                code = error.code()
                raise self._unwrapped(error) from error
            finally:
                span.set_attribute("rpc.response.status_code", code.name)

    async def stream(
        self,
        method: Callable[..., Any],
        request: Any,
        *,
        timeout: float,
        user_id: str = "",
        headers: tuple[tuple[str, str], ...] = (),
        last: str = "",
    ) -> AsyncGenerator[Any, None]:
        """One server-streaming call; wrap it in `aclosing`, so that leaving early cancels the peer's work.

        Whoever needs only the last message names what it is known by, and gets it once the peer has ended: else the
        call would be cancelled while the peer says that all went well, and be told as cancelled.

        Args:
            method: The stub's method.
            request: Its request.
            timeout: As for `call`.
            user_id: As for `call`.
            headers: What else is sent.
            last: The field that the last message has, and no other; empty if the stream is read to its end anyway.

        Raises:
            EcoError: As `call` does.
        """
        with _span(request) as span:
            metadata, code = (*_metadata(span, user_id), *headers), grpc.StatusCode.CANCELLED
            call = method(request, timeout=timeout, metadata=metadata, wait_for_ready=True)
            try:
                # By `read`, since iterating would put a generator of grpc.aio's inside this one.
                while (response := await call.read()) is not grpc.aio.EOF:
                    if last and response.HasField(last):
                        await _ended(call)
                        code = grpc.StatusCode.OK
                        yield response
                        return
                    yield response
                code = grpc.StatusCode.OK
            except grpc.aio.AioRpcError as error:
                code = error.code()
                raise self._unwrapped(error) from error
            finally:
                call.cancel()
                span.set_attribute("rpc.response.status_code", code.name)

    def _unwrapped(self, error: grpc.aio.AioRpcError) -> EcoError:
        return from_rpc_error(error, self._name)


async def _ended(call: grpc.aio.UnaryStreamCall[Any, Any]) -> None:
    """Waits until a call has ended that has nothing more to say; whatever becomes of it, all is there."""
    with contextlib.suppress(grpc.aio.AioRpcError, TimeoutError):
        async with asyncio.timeout(_END_SECONDS):
            while await call.read() is not grpc.aio.EOF:
                pass


def _metadata(span: Span, user_id: str) -> Sequence[tuple[str, str | bytes]]:
    headers: list[tuple[str, str | bytes]] = []
    if trace := telemetry.traceparent(span):
        headers.append(("traceparent", trace))
    if scan_id := tracing.current_scan():
        headers.append((tracing.SCAN_HEADER, scan_id))
    if asked := telemetry.request_id():
        headers.append((telemetry.REQUEST_ID_HEADER, asked))
    if user_id:
        headers.append(on_behalf_of(user_id))
    return tuple(headers)


def _span(request: Any) -> AbstractContextManager[Span]:
    """Around one call."""
    if tracing.current_tracer() is None:
        return tracing.NO_SPAN
    name = _rpc(request.DESCRIPTOR)
    return tracing.asking(name, {"rpc.system.name": "grpc", "rpc.method": name})


@cache
def _rpc(request: Descriptor) -> str:
    """The RPC that takes such a request: `package.Service/Method`. No two take the same (buf's STANDARD rules)."""
    for service in request.file.services_by_name.values():
        for method in service.methods:
            if method.input_type is request:
                return f"{service.full_name}/{method.name}"
    return "_OTHER"
