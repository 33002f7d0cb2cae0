"""What operators read of comparisons, from a service that answers as told."""

import csv
import io
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import pytest
from google.protobuf import empty_pb2

from eco2.jobs.v1 import comparison_pb2, comparison_service_pb2_grpc
from eco2.jobs.v1 import comparison_service_pb2 as pb
from eco2.jobs.v1.job_pb2 import Job
from tests.support.cli.command import Run

_ID = "01980000-0000-7000-8000-000000000000"
_SCAN = "01980000-0000-7000-8000-000000000001"
_JOB = Job(
    job_id=_ID,
    state=Job.STATE_SUCCEEDED,
    done=6,
    total=9,
    cost_micro_usd=2400,
    comparison={"classifier": "gpt-5", "scan_count": 9},
    comparison_result={"ending": comparison_pb2.ComparisonResult.ENDING_COST_LIMIT, "compared": 5, "skipped": 1},
)
_REPORT = comparison_pb2.ComparisonReport(
    compared=5,
    skipped={"PHOTO_NOT_FOUND": 1},
    same_major=5,
    same_middle=4,
    same_category=3,
    differs={"container": 2},
    confusions=[{"before": "재활용폐기물/금속류", "after": "재활용폐기물/종이", "count": 1}],
    accuracy={
        "known": 4,
        "before": {"share": 0.5, "low": 0.15, "high": 0.85},
        "after": {"share": 0.75, "low": 0.3, "high": 0.95},
        "only_before": 0,
        "only_after": 1,
        "p_value": 1.0,
    },
    before={"paid": 5, "mean_cost_micro_usd": 100, "timed": 5, "p50_ms": 700, "p95_ms": 900},
    after={"paid": 5, "mean_cost_micro_usd": 480, "timed": 5, "p50_ms": 1200, "p95_ms": 2100},
)
_PAIR = comparison_pb2.ScanComparison(
    scan_id=_SCAN,
    outcome=comparison_pb2.ScanComparison.OUTCOME_COMPARED,
    before={"category": "재활용폐기물/금속류", "confidence": 0.5, "rule_ids": ["metal"], "container": "캔 수거함"},
    after={"category": "재활용폐기물/종이", "rule_ids": ["paper"], "container": "종이, 상자"},
    differs=["category", "container"],
    truth="재활용폐기물/종이",
)
REPLIES = {
    "ListComparisonChoices": pb.ListComparisonChoicesResponse(
        classifiers=["gpt-5", "offline"], rulebooks={"candidate": "1" * 12}
    ),
    "CreateComparison": pb.CreateComparisonResponse(comparison=_JOB),
    "GetComparison": pb.GetComparisonResponse(comparison=_JOB, report=_REPORT),
    "ListComparisons": pb.ListComparisonsResponse(comparisons=[_JOB]),
    "ListComparedScans": pb.ListComparedScansResponse(scans=[_PAIR]),
    "CancelComparison": pb.CancelComparisonResponse(comparison=_JOB),
    "DeleteComparison": empty_pb2.Empty(),
}


class Comparisons(comparison_service_pb2_grpc.ComparisonServiceServicer):
    """Answers each call with its reply."""

    def __getattribute__(self, name: str) -> Any:
        return (lambda request, context: REPLIES[name]) if name in REPLIES else super().__getattribute__(name)


@pytest.fixture(scope="module")
def target() -> Iterator[str]:
    """Where it listens."""
    server = grpc.server(ThreadPoolExecutor(1))
    comparison_service_pb2_grpc.add_ComparisonServiceServicer_to_server(Comparisons(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield f"127.0.0.1:{port}"
    server.stop(0).wait()


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (["choices"], ["gpt-5", "offline", "candidate", "1" * 12]),
        (["create", "--classifier", "gpt-5"], [_ID]),
        (["create", "--rulebook", "candidate", "--wait"], ["COST_LIMIT"]),
        (
            ["show", _ID],
            [
                *("COST_LIMIT", "6 of 9", "PHOTO_NOT_FOUND 1", "$0.002400", "80.0%", "2 (40.0%)", "of 4 judged"),
                *("50.0% (15.0% to 85.0%)", "75.0%", "p 1.0000", "$0.000480, 5 paid", "1200 / 2100 ms"),
                "재활용폐기물/종이",
            ],
        ),
        (["list"], [_ID, "gpt-5", "SUCCEEDED", "6 of 9"]),
        (["scans", _ID], [_SCAN, "재활용폐기물/금속류", "category, container"]),
        (["cancel", _ID], ["Cancelled"]),
        (["delete", _ID], ["Deleted"]),
    ],
    ids=lambda value: " ".join(value[:2]),
)
def test_a_command_says_what_was_answered(target: str, run: Run, command: list[str], said: list[str]) -> None:
    """A decision about a model rests on these figures; nothing may be cut or left out."""
    ended = run("compare", *command, "--locale", "en", ECO2_SCAN_TARGET=target)
    assert ended.status == 0
    assert [part for part in said if part not in ended.out] == []
    (document,) = run("compare", *command, "--json", ECO2_SCAN_TARGET=target).documents
    assert document


def test_scans_as_csv_can_be_read_back(target: str, run: Run) -> None:
    """Whatever stands in a container's name, each value is in its column; what isn't known is empty."""
    ended = run("compare", "scans", _ID, "--csv", ECO2_SCAN_TARGET=target)
    (row,) = csv.DictReader(io.StringIO(ended.out))
    assert (row["scan_id"], row["before"], row["after"]) == (_SCAN, "재활용폐기물/금속류", "재활용폐기물/종이")
    assert (row["before_confidence"], row["after_confidence"], row["after_container"]) == ("0.5", "", "종이, 상자")
    assert (row["before_rules"], row["after_rules"], row["differs"]) == ("metal", "paper", "category container")
    assert (row["before_micro_usd"], row["denied"]) == ("", "False")
