"""What a user says to an answer, as it is sent."""

import pytest

from eco2.scan.v1.scan_service_pb2 import AnswerQuestionResponse
from rules_svc.answers.corrections import Statement
from tests.support.cli.command import Run
from tests.support.cli.fake_edge import FakeEdge
from tests.support.cli.replies import SCAN_ID, Scans, scan

ANSWER = f"POST /v1/scans/{SCAN_ID}:answer"


@pytest.mark.parametrize("may_learn", [False, True])
def test_an_answer_is_sent_as_it_is_said(eco2: Run, scans: Scans, edge: FakeEdge, may_learn: bool) -> None:
    """Consent only where it was given."""
    assert eco2("answer", SCAN_ID, "안은", "깨끗해요", *(["--may-learn"] if may_learn else [])).status == 0
    (asked,) = edge.asked(ANSWER)
    assert asked.json["reply"] == "안은 깨끗해요"
    assert asked.json.get("may_learn", False) is may_learn
    assert asked.json["request_id"]


@pytest.mark.parametrize(
    ("locale", "what"), [("ko", "건전지"), ("en", "battery"), ("en", "a milk carton"), ("ko", "LED 전구")]
)
def test_a_correction_is_said_as_the_rule_book_reads_it(
    eco2: Run, scans: Scans, edge: FakeEdge, locale: str, what: str
) -> None:
    """It contradicts, and what it names is the thing."""
    assert eco2("correct", SCAN_ID, *what.split(), "--locale", locale).status == 0
    (asked,) = edge.asked(ANSWER)
    statement = Statement.of(asked.json["reply"])
    assert statement.contradicts
    assert statement.named == what


def test_what_isnt_understood_ends_so(eco2: Run, scans: Scans, edge: FakeEdge) -> None:
    """A script must not take it for settled."""
    edge.answers[ANSWER] = AnswerQuestionResponse(scan=scan(), understood=False, message="Is it empty?")
    ended = eco2("answer", SCAN_ID, "blue")
    assert ended.status == 1
    assert ended.out.startswith("Is it empty?")
    as_json = eco2("answer", SCAN_ID, "blue", "--json")
    assert (as_json.status, as_json.error["reason"]) == (1, "NOT_UNDERSTOOD")
