"""How calls fail: the same over both channels, by wire and within a process."""

import asyncio
from typing import Any

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2

from eco2.scan.v1 import scan_service_pb2 as pb
from eco2.scan.v1.scan_pb2 import Scan
from mesh.errors import Unavailable
from mesh.grpc.limits import MOST_RESPONSE_BYTES, CallLimit
from mesh.grpc.status import DETAILS_HEADER
from mesh.reasons import Reason
from tests.integration.mesh.channels.scripted import ID, NAME, REQUEST, Code, Connect, Scripted, failing, never, until


async def test_an_error_has_code_text_details_and_trailing_metadata(connect: Connect) -> None:
    """Callers decide by reason and wait by RetryInfo."""

    async def get(*_: Any) -> None:
        raise Unavailable(Reason.UNAVAILABLE, peer="postgres", retry_after=1.5)

    async with connect(Scripted(get)) as client:
        error = await failing(client.stub.GetScan(REQUEST))
        await until(client.span_codes)
        assert client.span_codes() == ["UNAVAILABLE"]
    trailing = dict(error.trailing_metadata() or ())
    status = status_pb2.Status.FromString(trailing[DETAILS_HEADER])
    info = error_details_pb2.ErrorInfo()
    assert status.details[0].Unpack(info)
    assert (error.code(), error.details(), info.reason) == (Code.UNAVAILABLE, status.message, Reason.UNAVAILABLE)
    assert trailing["retry-after"] == "2"


@pytest.mark.parametrize(
    ("request_", "code"),
    [(pb.GetScanRequest(scan_id="../etc"), Code.INVALID_ARGUMENT), (pb.GetScanRequest(), Code.INVALID_ARGUMENT)],
)
async def test_a_request_against_the_rules_is_refused(connect: Connect, request_: Any, code: grpc.StatusCode) -> None:
    """Servicers rely on the rules in the protos, whoever calls."""
    servicer = Scripted()
    async with connect(servicer) as client:
        assert (await failing(client.stub.GetScan(request_))).code() is code
    assert servicer.calls == 0


async def test_what_isnt_a_message_is_refused(connect: Connect) -> None:
    """Over both a caller may send any bytes."""
    async with connect(Scripted()) as client:
        error = await failing(client.channel.unary_unary(f"/{NAME}/GetScan")(b"\xff\xff"))
    assert error.code() is Code.INVALID_ARGUMENT


async def test_an_unexpected_exception_is_internal(connect: Connect) -> None:
    """And shows nothing."""

    async def get(*_: Any) -> None:
        raise RuntimeError("password=hunter2")

    async with connect(Scripted(get)) as client:
        error = await failing(client.stub.GetScan(REQUEST))
    assert error.code() is Code.INTERNAL
    assert "hunter2" not in str(error)


async def test_a_method_that_isnt_there_is_unimplemented(connect: Connect) -> None:
    """A newer caller, an older service."""
    async with connect(Scripted()) as client:
        error = await failing(client.channel.unary_unary(f"/{NAME}/Nonsense")(b""))
    assert error.code() is Code.UNIMPLEMENTED


async def test_a_request_or_a_reply_that_is_too_large_is_refused(connect: Connect) -> None:
    """The limits protect memory, whoever calls."""

    async def get(*_: Any) -> Scan:
        return Scan(user_input="x" * MOST_RESPONSE_BYTES)

    servicer = Scripted(get)
    async with connect(servicer) as client:
        large = pb.AnswerQuestionRequest(scan_id=ID, reply="x" * (1 << 20))
        request, reply = await failing(client.stub.AnswerQuestion(large)), await failing(client.stub.GetScan(REQUEST))
    assert (request.code(), reply.code()) == (Code.RESOURCE_EXHAUSTED, Code.RESOURCE_EXHAUSTED)


async def test_calls_beyond_the_limit_are_refused(connect: Connect) -> None:
    """A service protects itself, whoever calls."""
    servicer = Scripted(never)
    async with connect(servicer, calls=CallLimit(1)) as client:
        first = client.stub.GetScan(REQUEST)
        await servicer.begun.wait()
        error = await failing(client.stub.GetScan(REQUEST))
        first.cancel()
    assert error.code() is Code.RESOURCE_EXHAUSTED


async def test_a_call_can_be_awaited_twice_and_tells_of_its_end(connect: Connect) -> None:
    """As a task."""
    ended = asyncio.Event()

    async def get(*_: Any) -> Scan:
        return Scan(scan_id="s")

    async with connect(Scripted(get)) as client:
        call = client.stub.GetScan(REQUEST, timeout=5)
        call.add_done_callback(lambda _: ended.set())
        assert 0 < call.time_remaining() <= 5
        assert await call == await call == Scan(scan_id="s")
        await ended.wait()
        assert (call.done(), call.cancelled(), call.cancel()) == (True, False, False)
