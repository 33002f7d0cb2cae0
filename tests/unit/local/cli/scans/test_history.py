"""One's scans: all, those that are under way, and what ends them."""

import pytest

from eco2.jobs.v1.jobs_service_pb2 import ListJobsResponse
from eco2.scan.v1 import scan_pb2
from eco2.scan.v1.scan_service_pb2 import ListScansResponse
from mesh.errors import NotFound
from mesh.reasons import Reason
from tests.support.cli.command import Run
from tests.support.cli.fake_edge import FakeEdge, Request, refused
from tests.support.cli.replies import SCAN_ID, Scans, scan

State = scan_pb2.Scan.State
UNKNOWN = "01980000-0000-7000-8000-00000000000f"


def pages(request: Request) -> ListScansResponse:
    """A history of 250 scans."""
    begin, size = int(request.query.get("page_token", ["0"])[0]), int(request.query["page_size"][0])
    end = min(begin + size, 250)
    found = [scan(scan_id=f"{number:032x}") for number in range(begin, end)]
    return ListScansResponse(scans=found, next_page_token=str(end) if end < 250 else "")


@pytest.mark.parametrize(("limit", "count"), [("1", 1), ("100", 100), ("230", 230), ("9999", 250)])
def test_a_long_history_is_read_page_by_page(eco2: Run, edge: FakeEdge, limit: str, count: int) -> None:
    """The API gives a hundred at a time."""
    edge.answers["GET /v1/scans"] = pages
    (document,) = eco2("history", "--limit", limit, "--json").documents
    assert [int(one["scan_id"], 16) for one in document["scans"]] == [*range(count)]


def test_jobs_are_those_that_havent_ended(eco2: Run, edge: FakeEdge) -> None:
    """Whatever they wait for."""
    every = [scan(State.Value(name), scan_id=name) for name in list(State.keys())[1:]]
    edge.answers |= {"GET /v1/scans": ListScansResponse(scans=every), "GET /v1/jobs": ListJobsResponse()}
    (document,) = eco2("jobs", "--json").documents
    assert {one["scan_id"] for one in document["scans"]} == {"STATE_AWAITING_UPLOAD", "STATE_QUEUED", "STATE_RUNNING"}


@pytest.mark.parametrize("verb", ["cancel", "delete"])
def test_of_several_each_is_tried(eco2: Run, scans: Scans, edge: FakeEdge, verb: str) -> None:
    """One that is gone already keeps no other."""
    gone = refused(NotFound(Reason.SCAN_NOT_FOUND), 404)
    edge.answers |= {f"POST /v1/scans/{UNKNOWN}:cancel": gone, f"DELETE /v1/scans/{UNKNOWN}": gone}
    ended = eco2(verb, UNKNOWN, SCAN_ID, "--json")
    assert ended.status == 11
    assert ended.documents[0]["scan_id"] == SCAN_ID
    assert (ended.error["scan_id"], ended.error["reason"]) == (UNKNOWN, "SCAN_NOT_FOUND")


def test_whose_scan_is_running_sees_how_far_it_is(eco2: Run, edge: FakeEdge) -> None:
    """No card before there is an answer."""
    edge.answers[f"GET /v1/scans/{SCAN_ID}"] = scan(State.STATE_RUNNING)
    assert eco2("show", SCAN_ID).out == "running · 30 % · Looking at it\n"


def test_an_id_leads_nowhere_else(eco2: Run, edge: FakeEdge) -> None:
    """It is a part of an address."""
    eco2("delete", "../scans?x=")
    assert [one.path for one in edge.requests] == ["/v1/scans/..%2Fscans%3Fx%3D"]
