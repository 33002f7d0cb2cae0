"""Calls, counted: rate, errors and duration of each method, and how many are at work."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import grpc
import pytest
from opentelemetry.trace import NoOpTracer

from eco2.scan.v1 import scan_service_pb2 as pb
from eco2.scan.v1 import scan_service_pb2_grpc
from eco2.scan.v1.scan_pb2 import Scan
from mesh.errors import NotFound
from mesh.grpc.metrics import ACTIVE_CALLS, CALL_DURATION, CALL_LIMIT, DEPENDENCY_UP
from mesh.grpc.server import Service, serving
from mesh.observability.telemetry import Telemetry
from mesh.reasons import Reason
from mesh.settings import ServiceSettings
from tests.support.metrics import Counted
from tests.support.waiting import eventually, true_of

_NAME = "eco2.scan.v1.ScanService"
_ID = "0197e6a5-0000-7000-8000-000000000000"


class _Servicer(scan_service_pb2_grpc.ScanServiceServicer):
    """Answers, refuses, breaks, or watches until the caller leaves."""

    def __init__(self) -> None:
        self.watching = asyncio.Event()
        self.fault: Exception | None = None

    async def GetScan(self, request: pb.GetScanRequest, context: Any) -> Any:
        if self.fault:
            raise self.fault
        return Scan(scan_id=_ID)

    async def WatchScan(self, request: pb.WatchScanRequest, context: Any) -> AsyncIterator[pb.WatchScanResponse]:
        yield pb.WatchScanResponse(type=pb.WatchScanResponse.TYPE_SNAPSHOT)
        self.watching.set()
        await asyncio.Event().wait()


@pytest.fixture
def counted() -> Counted:
    """What was counted."""
    return Counted()


@asynccontextmanager
async def _served(servicer: _Servicer, counted: Counted, **options: Any) -> AsyncIterator[Any]:
    service = Service(_NAME, scan_service_pb2_grpc.add_ScanServiceServicer_to_server, servicer)
    telemetry = Telemetry(NoOpTracer(), counted.instruments, service="scan")
    settings = ServiceSettings(drain_seconds=0, grace_seconds=1, call_limit=7)
    async with (
        serving(settings, [service], telemetry=telemetry, **options) as server,
        grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as channel,
    ):
        yield scan_service_pb2_grpc.ScanServiceStub(channel)


async def _fails(call: Any, code: grpc.StatusCode) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    assert caught.value.code() is code


async def test_each_call_is_counted_by_method_and_by_the_code_on_the_wire(counted: Counted) -> None:
    """Whatever alarms stand on: rate, errors, duration."""
    servicer = _Servicer()
    async with _served(servicer, counted) as stub:
        await stub.GetScan(pb.GetScanRequest(scan_id=_ID))
        await stub.GetScan(pb.GetScanRequest(scan_id=_ID))
        servicer.fault = NotFound(Reason.SCAN_NOT_FOUND, scan_id=_ID)
        await _fails(stub.GetScan(pb.GetScanRequest(scan_id=_ID)), grpc.StatusCode.NOT_FOUND)
        servicer.fault = RuntimeError("broken")
        await _fails(stub.GetScan(pb.GetScanRequest(scan_id=_ID)), grpc.StatusCode.INTERNAL)
        await _fails(stub.GetScan(pb.GetScanRequest(scan_id="../etc")), grpc.StatusCode.INVALID_ARGUMENT)
    assert counted.of(CALL_DURATION) == {
        ("grpc", f"{_NAME}/GetScan", "OK"): 2,
        ("grpc", f"{_NAME}/GetScan", "NOT_FOUND"): 1,
        ("grpc", f"{_NAME}/GetScan", "INTERNAL"): 1,
        ("grpc", f"{_NAME}/GetScan", "INVALID_ARGUMENT"): 1,
    }


async def test_a_watch_counts_as_long_as_it_lasts(counted: Counted) -> None:
    """What APIs are scaled by: streams, which cost little each, can be told from calls."""
    servicer = _Servicer()
    watch = (f"{_NAME}/WatchScan",)
    async with _served(servicer, counted) as stub:
        call = stub.WatchScan(pb.WatchScanRequest(scan_id=_ID))
        await call.read()
        await servicer.watching.wait()
        assert counted.of(ACTIVE_CALLS)[watch] == 1
        call.cancel()
        await eventually(lambda: true_of(counted.of(ACTIVE_CALLS)[watch] == 0))
    assert counted.of(CALL_DURATION) == {("grpc", *watch, "CANCELLED"): 1}


async def test_a_dependency_that_doesnt_answer_is_told_by_name(counted: Counted) -> None:
    """Why a pod isn't ready, without looking into its log."""

    async def answers() -> None:
        """It does."""

    async def fails() -> None:
        raise ConnectionError

    probes: Mapping[str, Callable[[], Any]] = {"postgres": answers, "s3": fails}
    told = {("scan", "postgres"): 1, ("scan", "s3"): 0}
    async with _served(_Servicer(), counted, dependencies=probes):
        await eventually(lambda: true_of(counted.of(DEPENDENCY_UP) == told))
    assert counted.of(CALL_LIMIT) == {("scan",): 7}
