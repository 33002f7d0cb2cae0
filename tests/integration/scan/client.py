"""A user of Scan, over gRPC, and what they are told."""

import hashlib
import itertools
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any

import grpc
import httpx2
from google.rpc import error_details_pb2, status_pb2

from eco2.events.v1 import events_service_pb2_grpc
from eco2.scan.v1 import (
    event_stream_service_pb2,
    event_stream_service_pb2_grpc,
    operations_service_pb2_grpc,
    scan_pb2,
    scan_service_pb2,
    scan_service_pb2_grpc,
)
from eco2.scan.v1.scan_service_pb2 import CreateScanRequest, WatchScanResponse
from mesh.grpc.identity import USER_HEADER
from mesh.grpc.status import DETAILS_HEADER
from tests.support.http import http_client

PHOTO = b"\xff\xd8 a photo, as far as storage is concerned \xff\xd9"


class Client:
    """A user of Scan, over gRPC, as Envoy would present them."""

    def __init__(self, target: str, channel: grpc.aio.Channel, user: str) -> None:
        self.stub = scan_service_pb2_grpc.ScanServiceStub(channel)
        self.events: Any = events_service_pb2_grpc.EventsServiceStub(channel)
        self.operations = operations_service_pb2_grpc.OperationsServiceStub(channel)
        self.target = target
        self.metadata: tuple[tuple[str, str], ...] = ((USER_HEADER, user), ("accept-language", "ko"))

    async def create(self, content: bytes = PHOTO, **fields: Any) -> scan_service_pb2.CreateScanResponse:
        upload = {
            "content_type": "image/jpeg",
            "size_bytes": len(content),
            "sha256": hashlib.sha256(content).hexdigest(),
        }
        request = scan_service_pb2.CreateScanRequest(upload=upload, **fields)
        return await self.stub.CreateScan(request, metadata=self.metadata)

    async def put(self, ticket: scan_service_pb2.UploadTicket, content: bytes = PHOTO) -> httpx2.Response:
        async with http_client() as http:
            return await http.request(ticket.method, ticket.url, headers=dict(ticket.headers), content=content)

    async def start(self, scan_id: str) -> scan_pb2.Scan:
        return await self.stub.StartScan(scan_service_pb2.StartScanRequest(scan_id=scan_id), metadata=self.metadata)

    async def get(self, scan_id: str) -> scan_pb2.Scan:
        return await self.stub.GetScan(scan_service_pb2.GetScanRequest(scan_id=scan_id), metadata=self.metadata)

    async def cancel(self, scan_id: str) -> scan_pb2.Scan:
        return await self.stub.CancelScan(scan_service_pb2.CancelScanRequest(scan_id=scan_id), metadata=self.metadata)

    async def reply(
        self, scan_id: str, reply: str, request_id: str = "", *, may_learn: bool = False
    ) -> scan_service_pb2.AnswerQuestionResponse:
        request = scan_service_pb2.AnswerQuestionRequest(
            scan_id=scan_id, reply=reply, request_id=request_id, may_learn=may_learn
        )
        return await self.stub.AnswerQuestion(request, metadata=self.metadata)

    async def accuracy(self, provider: str = "") -> list[scan_service_pb2.ClassAccuracy]:
        request = scan_service_pb2.GetAccuracyRequest(provider=provider)
        return list((await self.stub.GetAccuracy(request, metadata=self.metadata)).classes)

    async def delete(self, scan_id: str) -> None:
        await self.stub.DeleteScan(scan_service_pb2.DeleteScanRequest(scan_id=scan_id), metadata=self.metadata)

    def watch(self, scan_id: str, after_version: int = 0) -> Any:
        request = scan_service_pb2.WatchScanRequest(scan_id=scan_id, after_version=after_version)
        return self.stub.WatchScan(request, metadata=self.metadata)

    async def started(self, **fields: Any) -> str:
        """A scan whose photo is uploaded and which is queued."""
        created = await self.create(**fields)
        (await self.put(created.upload)).raise_for_status()
        await self.start(created.scan.scan_id)
        return created.scan.scan_id

    async def finished(self, scan_id: str) -> scan_pb2.Scan:
        """The scan once it is in a terminal state."""
        last = None
        async for event in self.watch(scan_id):
            last = event
        assert last is not None
        assert last.type == scan_service_pb2.WatchScanResponse.TYPE_TERMINAL
        return last.scan


StartScanService = Callable[..., AbstractAsyncContextManager[Client]]


async def rest(watching: Any) -> list[WatchScanResponse]:
    """Events of a watch, to its end."""
    events = []
    while (event := await watching.read()) is not grpc.aio.EOF:
        events.append(event)
    return events


async def create(client: Client, image_url: str) -> str:
    request = CreateScanRequest(image_url=image_url)
    return (await client.stub.CreateScan(request, metadata=client.metadata)).scan.scan_id


async def photo(client: Client) -> str:
    """A photo in storage, for many scans."""
    created = await client.create()
    (await client.put(created.upload)).raise_for_status()
    return created.image_url


async def follow(
    client: Client, scan_id: str, seen: Callable[[], None], earlier: Sequence[scan_pb2.Scan] = ()
) -> list[scan_pb2.Scan]:
    """Every state of a scan to its end, those seen earlier included; a watch that is sent away is resumed."""
    states = list(earlier)
    while True:
        async for event in client.watch(scan_id, states[-1].version if states else 0):
            if event.HasField("scan"):
                states.append(event.scan)
                seen()
            if event.type == WatchScanResponse.TYPE_TERMINAL:
                return states


async def events_of(
    client: Client, scan_id: str, last_event: str = "", ticket_for: str = ""
) -> AsyncGenerator[dict[str, str], None]:
    """Server-Sent Events as a browser reads them: fields by name; a comment's is empty."""
    request = event_stream_service_pb2.StreamEventsRequest(scan_id=scan_id)
    given = {"last-event-id": last_event, "eco2-watch-scan-id": ticket_for}
    metadata = (*client.metadata, *((name, value) for name, value in given.items() if value))
    async with grpc.aio.insecure_channel(client.target) as channel:
        stub = event_stream_service_pb2_grpc.EventStreamServiceStub(channel)
        text = ""
        async for body in stub.StreamEvents(request, metadata=metadata):
            assert body.content_type == "text/event-stream"
            text += body.data.decode()
            while "\n\n" in text:
                event, text = text.split("\n\n", 1)
                yield dict(line.split(": ", 1) if line[0] != ":" else ("", line) for line in event.splitlines())


def in_order(states: list[scan_pb2.Scan]) -> bool:
    """Versions only grow, progress never goes back, and results once seen stay.

    The last word repeats the version before it when the reward is late.
    """
    versions = [state.version for state in states]
    if len(versions) > 1 and states[-1].state == states[-2].state == scan_pb2.Scan.STATE_SUCCEEDED:
        versions[-2:] = sorted(set(versions[-2:]))
    percents = [state.progress.percent for state in states]
    runs = [[run.stage for run in state.stages] for state in states]
    return (
        versions == sorted(set(versions))
        and percents == sorted(percents)
        and all(later[: len(earlier)] == earlier for earlier, later in itertools.pairwise(runs))
    )


def reason(error: grpc.aio.AioRpcError) -> str:
    """The ErrorInfo reason of a failed call."""
    return reason_of(status(error))


def status(error: grpc.aio.AioRpcError) -> status_pb2.Status:
    return status_pb2.Status.FromString(dict(error.trailing_metadata() or ())[DETAILS_HEADER])


def reason_of(status: status_pb2.Status) -> str:
    return info_of(status).reason


def info_of(status: status_pb2.Status) -> error_details_pb2.ErrorInfo:
    info = error_details_pb2.ErrorInfo()
    assert any(detail.Unpack(info) for detail in status.details)
    return info
