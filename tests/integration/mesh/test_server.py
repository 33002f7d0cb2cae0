"""The boundary of every RPC, over a real socket."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Any

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from eco2.scan.v1 import scan_service_pb2 as pb
from eco2.scan.v1 import scan_service_pb2_grpc
from eco2.scan.v1.scan_pb2 import Scan
from mesh.errors import EcoError, NotFound, ResourceExhausted
from mesh.grpc.client import Peer
from mesh.grpc.identity import USER_HEADER, caller
from mesh.grpc.reflection import EDGE_SERVICES
from mesh.grpc.server import Service, serving
from mesh.grpc.status import DETAILS_HEADER
from mesh.observability.telemetry import Telemetry, traceparent
from mesh.reasons import Reason
from mesh.settings import Misconfigured, ServiceSettings

ID = "0197a000-0000-7000-8000-000000000000"
NAME = "eco2.scan.v1.ScanService"

# Any: the generated stub's types know only the synchronous client.
Serve = Callable[..., AbstractAsyncContextManager[Any]]
NO_TELEMETRY = Telemetry(TracerProvider().get_tracer("test"))


class Scripted(scan_service_pb2_grpc.ScanServiceServicer):
    """Does in GetScan and WatchScan what the test says."""

    def __init__(self, get: Callable[[Any], Any] | None = None) -> None:
        self.get = get
        self.deadlines: list[float | None] = []
        self.watching = asyncio.Event()
        self.left = asyncio.Event()
        self.drained = asyncio.Event()

    async def GetScan(self, request: pb.GetScanRequest, context: Any) -> Scan:
        self.deadlines.append(context.time_remaining())
        if self.get:
            await self.get(context)
        return Scan()

    async def WatchScan(self, request: pb.WatchScanRequest, context: Any) -> AsyncIterator[pb.WatchScanResponse]:
        try:
            yield pb.WatchScanResponse(type=pb.WatchScanResponse.TYPE_SNAPSHOT)
            self.watching.set()
            await self.drained.wait()
            yield pb.WatchScanResponse(type=pb.WatchScanResponse.TYPE_RECONNECT)
        finally:
            self.left.set()


@pytest.fixture
def spans() -> InMemorySpanExporter:
    """Every span that ended."""
    return InMemorySpanExporter()


@pytest.fixture
def serve(spans: InMemorySpanExporter) -> Serve:
    """Starts a server around a scripted servicer, and gives its client."""
    tracers = TracerProvider()
    tracers.add_span_processor(SimpleSpanProcessor(spans))
    exporting = Telemetry(tracers.get_tracer("test"), exporting=True)

    @asynccontextmanager
    async def start(servicer: Scripted, telemetry: Telemetry = exporting, **options: Any) -> AsyncIterator[Any]:
        service = Service(NAME, scan_service_pb2_grpc.add_ScanServiceServicer_to_server, servicer)
        settings = ServiceSettings(drain_seconds=0, grace_seconds=2)
        # The client outlives the server: what it is told last must reach it.
        async with AsyncExitStack() as clients, serving(settings, [service], telemetry=telemetry, **options) as server:
            target = f"127.0.0.1:{server.port}"
            channel = await clients.enter_async_context(grpc.aio.insecure_channel(target))
            stub: Any = scan_service_pb2_grpc.ScanServiceStub(channel)
            stub.channel, stub.target = channel, target
            yield stub

    return start


def details(error: grpc.aio.AioRpcError) -> status_pb2.Status:
    """The Status an error carries."""
    trailing = dict(error.trailing_metadata() or ())
    return status_pb2.Status.FromString(trailing[DETAILS_HEADER])


def detail(status: status_pb2.Status, kind: Any) -> Any:
    """The one detail of a kind."""
    found = kind()
    assert any(entry.Unpack(found) for entry in status.details)
    return found


async def raises(error: Exception) -> None:
    raise error


async def test_an_error_of_ours_arrives_with_reason_delay_and_the_callers_language(serve: Serve) -> None:
    """Clients decide by the reason, wait by RetryInfo, and show the localised text."""
    error = ResourceExhausted(Reason.LIMIT_EXCEEDED, limit="watchers", retry_after=2.0)
    async with serve(Scripted(lambda _: raises(error))) as stub:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stub.GetScan(pb.GetScanRequest(scan_id=ID), metadata=(("accept-language", "en-GB"),))
    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    status = details(caught.value)
    assert detail(status, error_details_pb2.ErrorInfo).reason == Reason.LIMIT_EXCEEDED
    assert detail(status, error_details_pb2.RetryInfo).retry_delay.seconds == 2
    assert detail(status, error_details_pb2.LocalizedMessage).locale == "en"


async def test_an_unexpected_exception_shows_nothing_but_a_trace_id(
    serve: Serve, spans: InMemorySpanExporter, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exception texts carry addresses, queries and secrets."""
    async with serve(Scripted(lambda _: raises(RuntimeError("password=hunter2")))) as stub:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stub.GetScan(pb.GetScanRequest(scan_id=ID))
    assert caught.value.code() is grpc.StatusCode.INTERNAL
    assert "hunter2" not in str(caught.value)
    info = detail(details(caught.value), error_details_pb2.ErrorInfo)
    (span,) = spans.get_finished_spans()
    assert info.metadata == {"trace_id": f"{span.context.trace_id:032x}"}


async def test_a_bad_field_never_reaches_the_servicer(serve: Serve) -> None:
    """Servicers rely on the rules in the protos."""
    servicer = Scripted()
    async with serve(servicer) as stub:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stub.GetScan(pb.GetScanRequest(scan_id="../etc"))
    bad = detail(details(caught.value), error_details_pb2.BadRequest)
    assert (caught.value.code(), servicer.deadlines) == (grpc.StatusCode.INVALID_ARGUMENT, [])
    assert [violation.field for violation in bad.field_violations] == ["scan_id"]


async def test_a_call_without_identity_is_unauthenticated(serve: Serve) -> None:
    """An unset identity must fail closed."""

    async def needs_user(context: Any) -> None:
        assert caller(context).user_id == "u1"

    async with serve(Scripted(needs_user)) as stub:
        await stub.GetScan(pb.GetScanRequest(scan_id=ID), metadata=((USER_HEADER, "u1"),))
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stub.GetScan(pb.GetScanRequest(scan_id=ID))
    assert caught.value.code() is grpc.StatusCode.UNAUTHENTICATED


async def test_a_peers_refusal_arrives_as_our_error_and_its_deadline_is_sent(serve: Serve) -> None:
    """The pipeline decides by kind and reason whether another try makes sense."""
    servicer = Scripted(lambda _: raises(NotFound(Reason.PHOTO_NOT_FOUND, object_key="k")))
    async with serve(servicer) as stub:
        with pytest.raises(EcoError) as caught:
            await Peer("vision").call(stub.GetScan, pb.GetScanRequest(scan_id=ID), timeout=5)
    assert (type(caught.value), caught.value.reason) == (NotFound, Reason.PHOTO_NOT_FOUND)
    assert caught.value.metadata == {"object_key": "k"}
    assert servicer.deadlines[0] is not None


async def test_a_peer_that_is_gone_is_waited_for_within_the_deadline() -> None:
    """A restart of two seconds must not cost a stage its tries; what the transport says has no details of ours."""
    async with grpc.aio.insecure_channel("127.0.0.1:1") as channel:
        stub = scan_service_pb2_grpc.ScanServiceStub(channel)
        with pytest.raises(EcoError) as caught:
            await Peer("vision").call(stub.GetScan, pb.GetScanRequest(scan_id=ID), timeout=0.3)
    assert (caught.value.reason, caught.value.metadata["peer"]) == (Reason.DEADLINE_EXCEEDED, "vision")


async def test_the_span_of_a_cancelled_stream_says_cancelled(serve: Serve, spans: InMemorySpanExporter) -> None:
    """The span's code must equal the wire's for every outcome, and leaving must end the handler."""
    servicer = Scripted()
    async with serve(servicer) as stub:
        call = stub.WatchScan(pb.WatchScanRequest(scan_id=ID))
        await call.read()
        await servicer.watching.wait()
        call.cancel()
        await servicer.left.wait()
    (span,) = spans.get_finished_spans()
    assert (span.attributes or {})["rpc.response.status_code"] == "CANCELLED"


async def test_the_span_of_a_late_call_says_deadline_exceeded(serve: Serve, spans: InMemorySpanExporter) -> None:
    """grpc.aio cancels the handler for both; the figures must tell them apart."""
    never = asyncio.Event()
    async with serve(Scripted(lambda _: never.wait())) as stub:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stub.GetScan(pb.GetScanRequest(scan_id=ID), timeout=0.05)
    assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    (span,) = spans.get_finished_spans()
    assert (span.attributes or {})["rpc.response.status_code"] == "DEADLINE_EXCEEDED"


async def test_a_span_continues_the_callers_trace(serve: Serve, spans: InMemorySpanExporter) -> None:
    """One scan is one trace across the mesh."""
    trace_id = "4bf92f3577b34da6a3ce929d0e0e4736"
    async with serve(Scripted()) as stub:
        await stub.GetScan(
            pb.GetScanRequest(scan_id=ID), metadata=(("traceparent", f"00-{trace_id}-00f067aa0ba902b7-01"),)
        )
    (span,) = spans.get_finished_spans()
    assert f"{span.context.trace_id:032x}" == trace_id


TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


async def followed(serve: Serve, *headers: str) -> list[str]:
    """What a servicer that exports nothing sends on, for calls with these traceparents."""
    found = []

    async def notice(_: Any) -> None:
        found.append(traceparent())

    async with serve(Scripted(notice), NO_TELEMETRY) as stub:
        for header in headers:
            await stub.GetScan(pb.GetScanRequest(scan_id=ID), metadata=(("traceparent", header),))
    return found


async def test_without_an_exporter_the_callers_trace_is_passed_on_as_it_came(serve: Serve) -> None:
    """Whoever does export, before and behind this process, must find one trace."""
    assert await followed(serve, TRACEPARENT) == [TRACEPARENT]


async def test_what_is_no_traceparent_begins_a_new_trace(serve: Serve) -> None:
    """It comes from outside, and goes into logs, headers and the database."""
    rubbish = ("", "x" * 55, TRACEPARENT.upper(), TRACEPARENT + "0", f"00-{0:032x}-00f067aa0ba902b7-01")
    found = await followed(serve, *rubbish)
    assert len({*found}) == len(rubbish)
    assert all(re.fullmatch("00-[0-9a-f]{32}-[0-9a-f]{16}-00", one) for one in found)


async def test_without_an_exporter_an_error_names_the_callers_trace(serve: Serve) -> None:
    """The id in a user's complaint is the one in the logs."""
    async with serve(Scripted(lambda _: raises(RuntimeError())), NO_TELEMETRY) as stub:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stub.GetScan(pb.GetScanRequest(scan_id=ID), metadata=(("traceparent", TRACEPARENT),))
    assert detail(details(caught.value), error_details_pb2.ErrorInfo).metadata == {"trace_id": TRACEPARENT[3:35]}


async def test_a_method_that_isnt_there_is_unimplemented(serve: Serve) -> None:
    """The boundary knows all methods of a server."""
    async with serve(Scripted()) as stub:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stub.channel.unary_unary(f"/{NAME}/Nonsense")(b"")
    assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED


async def test_health_follows_the_dependencies(serve: Serve) -> None:
    """A service whose database is gone must not be sent traffic."""
    down = asyncio.Event()

    async def probe() -> None:
        if down.is_set():
            raise ConnectionError

    async with serve(Scripted(), dependencies={"postgres": probe}) as stub:
        health: Any = health_pb2_grpc.HealthStub(stub.channel)
        changes = health.Watch(health_pb2.HealthCheckRequest(service=NAME))
        while (await changes.read()).status != health_pb2.HealthCheckResponse.SERVING:
            pass
        down.set()
        assert (await changes.read()).status == health_pb2.HealthCheckResponse.NOT_SERVING
        changes.cancel()


async def reflected(channel: grpc.aio.Channel, version: str, metadata: Any = None, **asked: str) -> Any:
    """The answer to one question of reflection."""
    ask = channel.stream_stream(
        f"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo",
        reflection_pb2.ServerReflectionRequest.SerializeToString,
        reflection_pb2.ServerReflectionResponse.FromString,
    )
    answers = ask(iter([reflection_pb2.ServerReflectionRequest(**asked)]), metadata=metadata)
    answer = await answers.read()
    answers.cancel()
    return answer


@pytest.mark.parametrize("version", ["v1", "v1alpha"])
async def test_reflection_lists_the_service(serve: Serve, version: str) -> None:
    """Operators come with grpcurl and no proto files."""
    async with serve(Scripted()) as stub:
        answer = await reflected(stub.channel, version, list_services="")
    assert {NAME, "grpc.health.v1.Health"} <= {one.name for one in answer.list_services_response.service}


async def test_reflection_tells_the_edge_what_the_edge_serves(serve: Serve) -> None:
    """Whoever comes through it can call services that live elsewhere, and describe them too."""
    names = ["eco2.rules.v1.BuildingService", "eco2.scan.v1.ScanService"]
    through_the_edge = ((EDGE_SERVICES, ",".join(names)),)
    async with serve(Scripted()) as stub:
        answer = await reflected(stub.channel, "v1", through_the_edge, list_services="")
        described = await reflected(stub.channel, "v1", through_the_edge, file_containing_symbol=names[0])
    assert [one.name for one in answer.list_services_response.service] == names
    assert described.file_descriptor_response.file_descriptor_proto


async def test_leaving_tells_watchers_first_and_waits_for_their_handlers(serve: Serve) -> None:
    """A silent watcher would hold the server's stop for the whole grace."""
    servicer = Scripted()
    async with serve(servicer, drains=(servicer.drained.set,)) as stub:
        call = stub.WatchScan(pb.WatchScanRequest(scan_id=ID))
        await call.read()
        await servicer.watching.wait()
        last = asyncio.create_task(call.read())
    assert servicer.left.is_set()
    assert (await last).type == pb.WatchScanResponse.TYPE_RECONNECT


async def test_a_taken_address_is_refused(serve: Serve) -> None:
    """Two servers on one port would share the calls in silence."""
    async with serve(Scripted()) as stub:
        with pytest.raises(Misconfigured):
            async with serving(ServiceSettings(listen=stub.target, drain_seconds=0), [], telemetry=NO_TELEMETRY):
                pass
