"""What holds within a process beyond the contract of both channels (`tests/integration/mesh/channels`)."""

import asyncio
import gc
from collections.abc import AsyncIterator
from typing import Any

import pytest
from opentelemetry.sdk.trace import TracerProvider

from eco2.scan.v1 import scan_service_pb2 as pb
from eco2.scan.v1 import scan_service_pb2_grpc
from eco2.scan.v1.scan_pb2 import Scan
from mesh.grpc.client import IN_PROCESS, open_channel
from mesh.grpc.host import hosting
from mesh.grpc.server import Service, serving
from mesh.observability.telemetry import Telemetry
from mesh.settings import Misconfigured, ServiceSettings

NAME = "eco2.scan.v1.ScanService"
WATCH = pb.WatchScanRequest(scan_id="0197a000-0000-7000-8000-000000000000")
NO_TELEMETRY = Telemetry(TracerProvider().get_tracer("test"))


class Endless(scan_service_pb2_grpc.ScanServiceServicer):
    """A stream that says one thing and never ends."""

    def __init__(self) -> None:
        self.left = asyncio.Event()

    async def GetScan(self, request: pb.GetScanRequest, context: Any) -> Scan:
        return Scan()

    async def WatchScan(self, request: pb.WatchScanRequest, context: Any) -> AsyncIterator[pb.WatchScanResponse]:
        try:
            yield pb.WatchScanResponse(type=pb.WatchScanResponse.TYPE_SNAPSHOT)
            await asyncio.Event().wait()
        finally:
            self.left.set()


async def test_a_call_that_nobody_holds_any_more_is_cancelled() -> None:
    """Its handler would run for ever: there is no connection whose end could end it."""
    servicer, settings = Endless(), ServiceSettings(drain_seconds=0, grace_seconds=1)
    service = Service(NAME, scan_service_pb2_grpc.add_ScanServiceServicer_to_server, servicer)
    async with (
        hosting(settings) as host,
        serving(settings, [service], telemetry=NO_TELEMETRY, host=host),
        open_channel("edge", IN_PROCESS, NAME, host=host) as channel,
    ):
        stub: Any = scan_service_pb2_grpc.ScanServiceStub(channel)
        call = stub.WatchScan(WATCH, wait_for_ready=True)
        await call.read()
        del call
        gc.collect()
        async with asyncio.timeout(10):
            await servicer.left.wait()


async def test_a_call_leaves_nothing_for_the_collector() -> None:
    """It runs so seldom in a service that cycles would be memory, and its pauses are what watchers wait for."""
    servicer, settings = Endless(), ServiceSettings(drain_seconds=0, grace_seconds=1)
    service = Service(NAME, scan_service_pb2_grpc.add_ScanServiceServicer_to_server, servicer)
    async with (
        hosting(settings) as host,
        serving(settings, [service], telemetry=NO_TELEMETRY, host=host),
        open_channel("edge", IN_PROCESS, NAME, host=host) as channel,
    ):
        stub: Any = scan_service_pb2_grpc.ScanServiceStub(channel)
        await stub.GetScan(pb.GetScanRequest(scan_id=WATCH.scan_id), timeout=5, wait_for_ready=True)
        gc.collect()
        gc.disable()
        try:
            for _ in range(200):
                await stub.GetScan(pb.GetScanRequest(scan_id=WATCH.scan_id), timeout=5)
            found = gc.collect()
        finally:
            gc.enable()
    assert found < 20


async def test_a_peer_that_should_be_in_this_process_needs_one_that_serves_it() -> None:
    """A service that is started alone would wait for it in vain."""
    with pytest.raises(Misconfigured, match=NAME):
        async with open_channel("edge", IN_PROCESS, NAME):
            pass
