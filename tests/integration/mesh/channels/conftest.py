"""The two channels."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from eco2.scan.v1 import scan_service_pb2_grpc
from mesh.grpc.client import IN_PROCESS, open_channel
from mesh.grpc.health import Probe
from mesh.grpc.host import hosting
from mesh.grpc.limits import CallLimit
from mesh.grpc.server import Service, serving
from mesh.observability.telemetry import Telemetry
from mesh.settings import ServiceSettings
from tests.integration.mesh.channels.scripted import NAME, Connect, Connected, Scripted
from tests.support.metrics import Counted


@pytest.fixture(params=["wire", "in-process"])
def connect(request: pytest.FixtureRequest) -> Connect:
    """Starts a server around a servicer, and gives its client over one of the channels."""
    in_process = request.param == "in-process"

    @asynccontextmanager
    async def connected(
        servicer: Scripted,
        *,
        retried: Sequence[str] = (),
        dependencies: dict[str, Probe] | None = None,
        grace: float = 2.0,
        calls: CallLimit | None = None,
        outlived_by: AsyncExitStack | None = None,
    ) -> AsyncIterator[Connected]:
        spans, tracers = InMemorySpanExporter(), TracerProvider()
        tracers.add_span_processor(SimpleSpanProcessor(spans))
        counted = Counted()
        telemetry = Telemetry(tracers.get_tracer("test"), counted.instruments, exporting=True)
        service = Service(NAME, scan_service_pb2_grpc.add_ScanServiceServicer_to_server, servicer)
        settings = ServiceSettings(drain_seconds=0, grace_seconds=grace)
        # The client outlives the server: what it is told last must reach it.
        async with (
            asyncio.timeout(30),
            AsyncExitStack() as own,
            hosting(settings) as host,
            serving(
                settings,
                [service],
                telemetry=telemetry,
                dependencies=dependencies or {},
                drains=[servicer.drained.set],
                calls=calls,
                host=host,
            ),
        ):
            await host.start()
            target = IN_PROCESS if in_process else f"127.0.0.1:{host.port}"
            channel = await (outlived_by if outlived_by is not None else own).enter_async_context(
                open_channel("edge", target, NAME, retried, host=host)
            )
            yield Connected(channel, scan_service_pb2_grpc.ScanServiceStub(channel), spans, host, counted)

    return connected
