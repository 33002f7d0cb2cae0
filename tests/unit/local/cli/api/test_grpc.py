"""The gRPC clients, against a scripted channel."""

from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from threading import Thread
from typing import Any, TypeVar

import grpc
import grpc_testing
import pytest
from google.protobuf.message import Message

from eco2.errors.v1.error_reason_pb2 import ErrorReason
from eco2.scan.v1 import operations_service_pb2 as pb
from eco2.scan.v1 import scan_pb2, scan_service_pb2
from local.cli.api.errors import ApiError
from local.cli.api.grpc import DeadLetterFilter, OperationsClient, WatchClient
from mesh.errors import NotFound
from mesh.grpc.status import DETAILS_HEADER, to_status
from mesh.locale import Locale
from mesh.reasons import Reason

Event = scan_service_pb2.WatchScanResponse
T = TypeVar("T")
SCAN_ID = "01980000-0000-7000-8000-000000000000"
WATCH = scan_service_pb2.DESCRIPTOR.services_by_name["ScanService"].methods_by_name["WatchScan"]
OPERATIONS = pb.DESCRIPTOR.services_by_name["OperationsService"].methods_by_name


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


def answered(channel: Any, rpc: str, call: Callable[[OperationsClient], T], reply: Message) -> tuple[Any, T]:
    """A call of the operations: the request it sent, and what it made of the reply."""
    outcome = beside(lambda: call(OperationsClient(channel, Locale.EN)))
    metadata, request, server = channel.take_unary_unary(OPERATIONS[rpc])
    assert ("accept-language", "en") in set(metadata)
    server.terminate(reply, (), grpc.StatusCode.OK, "")
    return request, outcome.result(5)


def test_dead_letters_are_listed_as_asked(channel: Any) -> None:
    """One stage's outage fills the list; the others' letters are looked for."""
    wanted = DeadLetterFilter("vision", Reason.UNAVAILABLE, 3600, archived=True)
    letter = pb.DeadLetter(scan_id=SCAN_ID)
    reply = pb.ListDeadLettersResponse(dead_letters=[letter])
    request, listed = answered(channel, "ListDeadLetters", lambda client: client.dead_letters(wanted, 50), reply)
    assert request == pb.ListDeadLettersRequest(
        stage="vision",
        page_size=50,
        min_age={"seconds": 3600},
        reason=ErrorReason.ERROR_REASON_UNAVAILABLE,
        state=pb.DeadLetter.STATE_ARCHIVED,
    )
    assert listed == [letter]


def test_a_replay_tells_where_it_goes_on(channel: Any) -> None:
    """What is before that stage isn't paid again."""
    reply = pb.ReplayScanResponse(stage="answer")
    request, stage = answered(channel, "ReplayScan", lambda client: client.replay(SCAN_ID), reply)
    assert (request.scan_id, stage) == (SCAN_ID, "answer")


def test_a_replay_of_many_tells_how_many(channel: Any) -> None:
    """Fewer than asked for means that it is done."""
    reply = pb.ReplayDeadLettersResponse(replayed_count=7)
    wanted = DeadLetterFilter("rules")
    request, count = answered(channel, "ReplayDeadLetters", lambda client: client.replay_all(wanted, 10), reply)
    assert (request.stage, request.max_count, request.state) == ("rules", 10, pb.DeadLetter.STATE_DEAD)
    assert count == 7


def test_an_archived_letter_comes_back_as_it_is_now(channel: Any) -> None:
    """Whoever archives it wants to see that it is."""
    letter = pb.DeadLetter(scan_id=SCAN_ID, state=pb.DeadLetter.STATE_ARCHIVED)
    reply = pb.ArchiveScanResponse(dead_letter=letter)
    request, archived = answered(channel, "ArchiveScan", lambda client: client.archive(SCAN_ID), reply)
    assert (request.scan_id, archived) == (SCAN_ID, letter)


def test_the_queue_is_told_as_it_stands(channel: Any) -> None:
    """Scans and webhooks wait apart."""
    reply = pb.GetQueueStatsResponse(stages=[{"stage": "vision", "ready": 3}], webhooks={"stage": "deliver"})
    _, stats = answered(channel, "GetQueueStats", lambda client: client.stats(), reply)
    assert stats == reply


def test_a_scans_webhooks_come_with_their_tries(channel: Any) -> None:
    """A receiver's operator asks what was sent, and when."""
    delivery = pb.WebhookDelivery(webhook_id=SCAN_ID, attempts=[{"attempt": 1, "status": 503}])
    reply = pb.ListWebhookDeliveriesResponse(deliveries=[delivery])
    request, listed = answered(channel, "ListWebhookDeliveries", lambda client: client.deliveries(SCAN_ID), reply)
    assert (request.scan_id, listed) == (SCAN_ID, [delivery])


def test_a_webhook_is_delivered_again_by_its_id(channel: Any) -> None:
    """The receiver recognises it by that id."""
    reply = pb.RedeliverWebhookResponse()
    request, _ = answered(channel, "RedeliverWebhook", lambda client: client.redeliver(SCAN_ID), reply)
    assert request.webhook_id == SCAN_ID


def test_a_refused_operation_says_why(channel: Any) -> None:
    """Two people on duty act on the same letter."""
    error = NotFound(Reason.DEAD_LETTER_NOT_FOUND, scan_id=SCAN_ID)
    replayed = beside(lambda: OperationsClient(channel, Locale.EN).replay(SCAN_ID))
    _, _, server = channel.take_unary_unary(OPERATIONS["ReplayScan"])
    details = ((DETAILS_HEADER, to_status(error, Locale.EN).SerializeToString()),)
    server.terminate(pb.ReplayScanResponse(), details, grpc.StatusCode.NOT_FOUND, "not found")
    with pytest.raises(ApiError) as refused:
        replayed.result(5)
    assert refused.value.failure.reason == Reason.DEAD_LETTER_NOT_FOUND
