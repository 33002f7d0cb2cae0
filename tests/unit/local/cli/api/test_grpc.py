"""The operators' client, against a scripted channel."""

from collections.abc import Callable
from concurrent.futures import Future
from threading import Thread
from typing import Any, TypeVar

import grpc
import grpc_testing
import pytest
from google.protobuf.message import Message

from eco2.errors.v1.error_reason_pb2 import ErrorReason
from eco2.scan.v1 import operations_service_pb2 as pb
from local.cli.api.errors import ApiError
from local.cli.api.grpc import DeadLetterFilter, OperationsClient
from mesh.errors import NotFound
from mesh.grpc.status import DETAILS_HEADER, to_status
from mesh.locale import Locale
from mesh.reasons import Reason

T = TypeVar("T")
SCAN_ID = "01980000-0000-7000-8000-000000000000"
OPERATIONS = pb.DESCRIPTOR.services_by_name["OperationsService"].methods_by_name


@pytest.fixture
def channel() -> Any:
    """A channel whose server side the test plays."""
    return grpc_testing.channel([OPERATIONS["ReplayScan"].containing_service], grpc_testing.strict_real_time())


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
    assert listed == reply


def test_a_replay_tells_where_it_goes_on(channel: Any) -> None:
    """What is before that stage isn't paid again."""
    reply = pb.ReplayScanResponse(stage="answer")
    request, replayed = answered(channel, "ReplayScan", lambda client: client.replay(SCAN_ID), reply)
    assert (request.scan_id, replayed) == (SCAN_ID, reply)


def test_a_replay_of_many_tells_how_many(channel: Any) -> None:
    """Fewer than asked for means that it is done."""
    reply = pb.ReplayDeadLettersResponse(replayed_count=7)
    wanted = DeadLetterFilter("rules")
    request, replayed = answered(channel, "ReplayDeadLetters", lambda client: client.replay_all(wanted, 10), reply)
    assert (request.stage, request.max_count, request.state) == ("rules", 10, pb.DeadLetter.STATE_DEAD)
    assert replayed == reply


def test_an_archived_letter_comes_back_as_it_is_now(channel: Any) -> None:
    """Whoever archives it wants to see that it is."""
    letter = pb.DeadLetter(scan_id=SCAN_ID, state=pb.DeadLetter.STATE_ARCHIVED)
    reply = pb.ArchiveScanResponse(dead_letter=letter)
    request, archived = answered(channel, "ArchiveScan", lambda client: client.archive(SCAN_ID), reply)
    assert (request.scan_id, archived) == (SCAN_ID, reply)


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
    assert (request.scan_id, listed) == (SCAN_ID, reply)


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
