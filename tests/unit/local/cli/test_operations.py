"""What the people on duty read, from a service that answers as told."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import click
import grpc
import pytest

from eco2.scan.v1 import operations_service_pb2 as pb
from eco2.scan.v1 import operations_service_pb2_grpc
from local.cli import operations
from local.cli.operations import Age
from mesh.errors import Unavailable
from mesh.grpc.status import to_status
from mesh.locale import Locale
from mesh.reasons import Reason
from tests.support.cli.command import Run

SCAN_ID = "01980000-0000-7000-8000-000000000000"
WEBHOOK_ID = "01980000-0000-7000-8000-000000000001"
LETTER = pb.DeadLetter(
    scan_id=SCAN_ID,
    stage="answer",
    error=to_status(Unavailable(Reason.UNAVAILABLE, peer="model"), *Locale),
    usage={"model": "gpt-4.1-mini", "input_tokens": 900, "output_tokens": 80, "cost_micro_usd": 1234, "calls": 3},
)
STATS = pb.GetQueueStatsResponse(
    stages=[{"stage": "vision", "ready": 12, "in_flight": 34, "dead": 5, "oldest_age": {"seconds": 3725}}],
    webhooks={"stage": "deliver", "ready": 67},
)
DELIVERY = pb.WebhookDelivery(
    webhook_id=WEBHOOK_ID,
    event="scan.failed",
    url="https://example.com/hook",
    state=pb.WebhookDelivery.STATE_PENDING,
    next_time={"seconds": 60},
    attempts=[{"attempt": 1, "status": 503, "error": "http 503"}, {"attempt": 2, "error": "timeout"}],
)


REPLIES = {
    "ListDeadLetters": pb.ListDeadLettersResponse(dead_letters=[LETTER]),
    "ReplayScan": pb.ReplayScanResponse(stage="answer"),
    "ReplayDeadLetters": pb.ReplayDeadLettersResponse(replayed_count=7),
    "ArchiveScan": pb.ArchiveScanResponse(dead_letter=LETTER),
    "GetQueueStats": STATS,
    "ListWebhookDeliveries": pb.ListWebhookDeliveriesResponse(deliveries=[DELIVERY]),
    "RedeliverWebhook": pb.RedeliverWebhookResponse(),
}


class Operations(operations_service_pb2_grpc.OperationsServiceServicer):
    """Answers each call with its reply."""

    def __getattribute__(self, name: str) -> Any:
        return (lambda request, context: REPLIES[name]) if name in REPLIES else super().__getattribute__(name)


@pytest.fixture(scope="module")
def target() -> Iterator[str]:
    """Where it listens."""
    server = grpc.server(ThreadPoolExecutor(1))
    operations_service_pb2_grpc.add_OperationsServiceServicer_to_server(Operations(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield f"127.0.0.1:{port}"
    server.stop(0).wait()


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (["dead-letters", "list"], [SCAN_ID, "answer", Reason.UNAVAILABLE, "$0.001234"]),
        (["dead-letters", "replay", SCAN_ID], ["stage answer"]),
        (["dead-letters", "replay", "--all"], ["7"]),
        (["dead-letters", "archive", SCAN_ID], ["stage answer"]),
        (["queue"], ["vision", "12", "34", "5", "1:02:05", "webhooks", "67"]),
        (["webhooks", "list", SCAN_ID], [WEBHOOK_ID, "scan.failed", "PENDING", "00:01", "503", "timeout"]),
        (["webhooks", "redeliver", WEBHOOK_ID], ["Queued again"]),
    ],
    ids=lambda value: " ".join(value[:2]),
)
def test_a_command_says_what_was_answered(target: str, run: Run, command: list[str], said: list[str]) -> None:
    """These lines are what a decision at night rests on; nothing may be cut or left out."""
    ended = run(*command, "--locale", "en", ECO2_SCAN_TARGET=target)
    assert ended.status == 0
    assert [part for part in said if part not in ended.out] == []
    (document,) = run(*command, "--json", ECO2_SCAN_TARGET=target).documents
    assert document


@pytest.mark.parametrize("named", [[], ["a1", "--all"]], ids=["nothing", "one and all"])
def test_a_replay_says_what_it_replays(run: Run, named: list[str]) -> None:
    """All of them is a decision, not a default."""
    ended = run("dead-letters", "replay", *named)
    assert ended.status == 2
    assert "--all" in ended.err


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("30m", 1800), ("2h", 7200), ("7d", 604_800)])
def test_ages_are_written_as_people_say_them(text: str, seconds: int) -> None:
    """Nobody counts seconds at night."""
    assert Age().convert(text, None, None) == seconds


@pytest.mark.parametrize("text", ["", "2", "2w", "-2h", "2h30m", "3651d", "9" * 5000 + "d"])
def test_an_age_that_isnt_one_is_refused(text: str) -> None:
    """A wrong guess would replay the wrong letters."""
    with pytest.raises(click.BadParameter):
        Age().convert(text, None, None)


@pytest.mark.parametrize(
    ("letter", "cost"),
    [
        (pb.DeadLetter(), "–"),
        (pb.DeadLetter(usage={"calls": 1}), "$0.000000"),
        (pb.DeadLetter(usage={"cost_micro_usd": 4_294_967_295}), "$4294.967295"),
    ],
    ids=["nothing was called", "a model without a bill", "the dearest there is"],
)
def test_a_letter_tells_what_its_failed_tries_cost(letter: pb.DeadLetter, cost: str) -> None:
    """Another replay costs as much again."""
    assert operations.cost(letter) == cost
