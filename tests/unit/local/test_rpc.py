"""The gRPC clients, against a scripted channel."""

from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from threading import Thread
from typing import Any, TypeVar

import grpc
import grpc_testing
import pytest

from eco2.scan.v1 import operations_service_pb2, scan_pb2, scan_service_pb2
from local.failures import ApiError
from local.rpc import OperationsClient, WatchClient
from mesh.errors import NotFound, Reason
from mesh.locale import Locale
from mesh.status import DETAILS_HEADER, to_status

Event = scan_service_pb2.WatchScanResponse
T = TypeVar("T")
SCAN_ID = "01980000-0000-7000-8000-000000000000"
WATCH = scan_service_pb2.DESCRIPTOR.services_by_name["ScanService"].methods_by_name["WatchScan"]
OPERATIONS = operations_service_pb2.DESCRIPTOR.services_by_name["OperationsService"].methods_by_name


@pytest.fixture
def channel() -> Any:
    """A channel whose server side the test plays."""
    services = [WATCH.containing_service, OPERATIONS["ReplayScan"].containing_service]
    return grpc_testing.channel(services, grpc_testing.strict_real_time())


def beside(call: Callable[[], T]) -> Future[T]:
    """Runs a client's call, which blocks until the test answers, in a thread that can't outlive the test run."""
    future = Future[T]()

    def run() -> None:
        try:
            future.set_result(call())
        except Exception as error:
            future.set_exception(error)

    Thread(target=run, daemon=True).start()
    return future


class Watched:
    """A watch in progress.

    Attributes:
        versions: What it yielded and nobody took yet.
        ended: Set at its end.
    """

    def __init__(self, channel: Any) -> None:
        self.versions = SimpleQueue[int]()
        self._client = WatchClient(channel, "token", Locale.EN)
        self.ended = beside(self._follow)

    def _follow(self) -> None:
        for scan in self._client.follow(SCAN_ID):
            self.versions.put(scan.version)


def event(kind: Event.Type.ValueType, version: int) -> Event:
    """One event with the scan at this version."""
    return Event(type=kind, scan=scan_pb2.Scan(version=version))


def test_a_watch_shows_identity_and_ends_with_the_scan(channel: Any) -> None:
    """The edge checks the token on gRPC as on REST."""
    watched = Watched(channel)
    metadata, request, rpc = channel.take_unary_stream(WATCH)
    assert request == scan_service_pb2.WatchScanRequest(scan_id=SCAN_ID)
    assert {("authorization", "Bearer token"), ("accept-language", "en")} <= set(metadata)
    for sent in (event(Event.TYPE_SNAPSHOT, 1), Event(type=Event.TYPE_HEARTBEAT), event(Event.TYPE_TERMINAL, 2)):
        rpc.send_response(sent)
    rpc.terminate((), grpc.StatusCode.OK, "")
    watched.ended.result(5)
    assert [watched.versions.get_nowait() for _ in range(2)] == [1, 2]


@pytest.mark.parametrize("code", [grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.OK])
def test_a_cut_watch_resumes_after_the_last_version(channel: Any, code: grpc.StatusCode) -> None:
    """Servers come and go; their connections have an age."""
    watched = Watched(channel)
    _, _, rpc = channel.take_unary_stream(WATCH)
    rpc.send_response(event(Event.TYPE_UPDATE, 5))
    assert watched.versions.get(timeout=5) == 5
    rpc.terminate((), code, "")
    _, request, rpc = channel.take_unary_stream(WATCH)
    assert request.after_version == 5
    rpc.send_response(event(Event.TYPE_TERMINAL, 6))
    rpc.terminate((), grpc.StatusCode.OK, "")
    watched.ended.result(5)
    assert watched.versions.get_nowait() == 6


def test_a_refused_watch_says_why(channel: Any) -> None:
    """Reason and text travel in the trailing metadata."""
    error = NotFound(Reason.SCAN_NOT_FOUND, scan_id=SCAN_ID)
    watched = Watched(channel)
    _, _, rpc = channel.take_unary_stream(WATCH)
    details = ((DETAILS_HEADER, to_status(error, Locale.EN).SerializeToString()),)
    rpc.terminate(details, grpc.StatusCode.NOT_FOUND, "not found")
    with pytest.raises(ApiError) as refused:
        watched.ended.result(5)
    assert refused.value.failure.reason == Reason.SCAN_NOT_FOUND
    assert refused.value.failure.text == error.text(Locale.EN)


def test_dead_letters_are_listed_by_stage(channel: Any) -> None:
    """One stage's outage fills the list; the others' letters are looked for."""
    listed = beside(lambda: OperationsClient(channel, Locale.EN).dead_letters("vision", 50))
    metadata, request, rpc = channel.take_unary_unary(OPERATIONS["ListDeadLetters"])
    assert ("accept-language", "en") in set(metadata)
    assert (request.stage, request.page_size) == ("vision", 50)
    letter = operations_service_pb2.DeadLetter(scan_id=SCAN_ID)
    response = operations_service_pb2.ListDeadLettersResponse(dead_letters=[letter])
    rpc.terminate(response, (), grpc.StatusCode.OK, "")
    assert listed.result(5) == [letter]


def test_a_replay_tells_where_it_goes_on(channel: Any) -> None:
    """What is before that stage isn't paid again."""
    stage = beside(lambda: OperationsClient(channel, Locale.EN).replay(SCAN_ID))
    _, request, rpc = channel.take_unary_unary(OPERATIONS["ReplayScan"])
    assert request.scan_id == SCAN_ID
    rpc.terminate(operations_service_pb2.ReplayScanResponse(stage="answer"), (), grpc.StatusCode.OK, "")
    assert stage.result(5) == "answer"
