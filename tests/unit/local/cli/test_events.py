"""What operators read of one job's life, from a service that answers as told."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import pytest

from eco2.events.v1 import events_service_pb2 as pb
from eco2.events.v1.event_pb2 import Event
from eco2.events.v1.events_service_pb2_grpc import EventsServiceServicer, add_EventsServiceServicer_to_server
from mesh.errors import OutOfRange
from mesh.grpc.status import to_status
from mesh.locale import Locale
from mesh.reasons import Reason
from tests.support.cli.command import Run

SCAN_ID = "01980000-0000-7000-8000-000000000000"
ACCEPTED, STARTED, RETRIED, FAILED = (
    Event(id=str(number), type=f"eco2.scan.{name}", kind="scan", subject=SCAN_ID, time={"seconds": number}, data=data)
    for number, name, data in (
        (7, "accepted", {"stage": "vision"}),
        (8, "stage.started", {"stage": "vision", "attempt": 1, "worker_id": 4711}),
        (
            9,
            "stage.retried",
            {"stage": "vision", "attempt": 1, "reason": "MODEL_TIMEOUT", "next_time": {"seconds": 60}},
        ),
        (10, "failed", {"stage": "vision", "reason": "MODEL_TIMEOUT"}),
    )
)


class Events(EventsServiceServicer):
    """A log of two pages; its stream is cut twice, then what follows isn't kept any more."""

    def __init__(self) -> None:
        self.cursors: list[str] = []

    def ListEvents(self, request: pb.ListEventsRequest, context: Any) -> pb.ListEventsResponse:
        """Two pages of the scan, and nothing of anything else."""
        if request.job_id != SCAN_ID:
            return pb.ListEventsResponse()
        if not request.page_token:
            return pb.ListEventsResponse(events=[ACCEPTED, STARTED], next_page_token="8")
        return pb.ListEventsResponse(events=[RETRIED])

    def SubscribeEvents(self, request: pb.SubscribeEventsRequest, context: Any) -> Iterator[pb.SubscribeEventsResponse]:
        """A heartbeat and what is listed, too; then an end in order; then another end."""
        assert request.filter.job_id == SCAN_ID
        self.cursors.append(request.cursor)
        match request.cursor:
            case "latest":
                yield pb.SubscribeEventsResponse(cursor="one")
                yield pb.SubscribeEventsResponse(events=[RETRIED], cursor="two")
            case "two":
                yield pb.SubscribeEventsResponse(events=[FAILED], cursor="three")
                context.abort(grpc.StatusCode.UNAVAILABLE, "killed")
            case _:
                dropped = OutOfRange(Reason.EVENTS_DROPPED, oldest_cursor="nine")
                details = to_status(dropped, *Locale).SerializeToString()
                context.set_trailing_metadata((("grpc-status-details-bin", details),))
                context.abort(grpc.StatusCode.OUT_OF_RANGE, "dropped")


@pytest.fixture
def service() -> Events:
    """What answers."""
    return Events()


@pytest.fixture
def target(service: Events) -> Iterator[str]:
    """Where it listens."""
    server = grpc.server(ThreadPoolExecutor(2))
    add_EventsServiceServicer_to_server(service, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield f"127.0.0.1:{port}"
    server.stop(0).wait()


def test_a_scans_whole_life_is_shown_in_order(target: str, run: Run) -> None:
    """Over all pages, with who did it, why it failed and when it is tried again."""
    ended = run("events", SCAN_ID, ECO2_SCAN_TARGET=target)
    assert (ended.status, ended.err) == (0, "")
    assert [line.split("\t") for line in ended.out.splitlines()[1:]] == [
        ["1970-01-01 00:00:07.000", "scan", "eco2.scan.accepted", "vision", "", "", "", ""],
        ["1970-01-01 00:00:08.000", "scan", "eco2.scan.stage.started", "vision", "1", "4711", "", ""],
        [
            *("1970-01-01 00:00:09.000", "scan", "eco2.scan.stage.retried", "vision", "1", "", "MODEL_TIMEOUT"),
            "1970-01-01 00:01:00",
        ],
    ]
    (document,) = run("events", SCAN_ID, "--json", ECO2_SCAN_TARGET=target).documents
    assert [event["id"] for event in document["events"]] == ["7", "8", "9"]


def test_a_job_of_which_nothing_is_kept_is_no_error(target: str, run: Run) -> None:
    """It may have been longer ago."""
    unknown = SCAN_ID.replace("8000", "9000")
    assert run("events", unknown, ECO2_SCAN_TARGET=target).out == "No event of it is kept.\n"
    assert run("events", unknown, "--json", ECO2_SCAN_TARGET=target).documents == [{"events": []}]


def test_following_goes_on_where_a_stream_ended_and_tells_nothing_twice(target: str, service: Events, run: Run) -> None:
    """Past and future meet without a gap; what can't go on says why."""
    ended = run("events", SCAN_ID, "--follow", "--json", ECO2_SCAN_TARGET=target)
    assert [event["id"] for event in ended.documents] == ["7", "8", "9", "10"]
    assert service.cursors == ["latest", "two", "three"]
    assert (ended.status, ended.error["reason"]) == (1, "EVENTS_DROPPED")
    people = run("events", SCAN_ID, "--follow", ECO2_SCAN_TARGET=target)
    assert "eco2.scan.stage.retried  vision  1  MODEL_TIMEOUT" in people.out
    assert len(people.out.splitlines()) == 4


def test_a_service_that_isnt_there_is_told(run: Run) -> None:
    """Nobody waits for what never was."""
    ended = run("events", SCAN_ID, "--follow", "--json", ECO2_SCAN_TARGET="127.0.0.1:1")
    assert (ended.status, ended.error["reason"]) == (1, "UNREACHABLE")
