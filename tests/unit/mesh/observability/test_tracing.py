"""When spans are made, and what they tell."""

import json
from collections.abc import Iterator

import pytest
import structlog
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import get_current_span

from mesh.errors import Unavailable
from mesh.observability import telemetry, tracing
from mesh.reasons import Reason
from mesh.settings import ServiceSettings

SCAN = "0197a000-0000-7000-8000-000000000000"
CREATION = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@pytest.fixture
def spans() -> Iterator[InMemorySpanExporter]:
    """What is exported from now on."""
    exporter, tracers = InMemorySpanExporter(), TracerProvider()
    tracers.add_span_processor(SimpleSpanProcessor(exporter))
    tracing.trace_with(tracers.get_tracer("test"))
    yield exporter
    tracing.work_on("")
    tracing.trace_with(None)


def test_without_a_receiver_no_span_is_made() -> None:
    """One and the same thing stands in the place of all of them, which costs nothing."""
    tracing.trace_with(None)
    around = (tracing.asking("a", {}), tracing.doing("b", {}), tracing.resuming("c", CREATION, SCAN, {}))
    assert all(one is tracing.NO_SPAN for one in around)
    with tracing.doing("b", {}):
        assert not get_current_span().is_recording()
    assert tracing.current_scan() == ""


def test_what_is_asked_by_nobody_has_no_span(spans: InMemorySpanExporter) -> None:
    """A worker that polls would fill the collector."""
    with tracing.asking("claim", {}):
        pass
    assert spans.get_finished_spans() == ()


def test_what_is_done_for_a_scan_belongs_to_the_call_that_created_it(spans: InMemorySpanExporter) -> None:
    """In its trace, and with the scan's id down to what is asked of others."""
    with tracing.resuming("process scan", CREATION, SCAN, {}), tracing.doing("stage", {}), tracing.asking("GET", {}):
        pass
    asked, stage, process = spans.get_finished_spans()
    assert [one.parent.span_id if one.parent else 0 for one in (process, stage, asked)] == [
        0x00F067AA0BA902B7,
        process.context.span_id,
        stage.context.span_id,
    ]
    assert {(one.attributes or {})[tracing.SCAN_ID] for one in (asked, stage, process)} == {SCAN}
    assert {one.context.trace_id for one in (asked, stage, process)} == {0x4BF92F3577B34DA6A3CE929D0E0E4736}


def test_a_failure_is_told_by_its_reason_and_not_by_its_text(spans: InMemorySpanExporter) -> None:
    """Texts of exceptions quote addresses and values."""
    error = Unavailable(Reason.UNAVAILABLE, peer="canary")
    with pytest.raises(Unavailable), tracing.doing("stage", {}):
        raise error
    with pytest.raises(ValueError, match="canary"), tracing.doing("stage", {}):
        raise ValueError("canary")
    assert [(one.attributes or {})["error.type"] for one in spans.get_finished_spans()] == ["UNAVAILABLE", "ValueError"]
    assert not any("canary" in one.to_json() for one in spans.get_finished_spans())


@pytest.mark.parametrize("scan_id", ["", "x" * 36, SCAN.upper(), SCAN + "0", "'; drop table scan"])
def test_what_is_no_scans_id_is_not_told(spans: InMemorySpanExporter, scan_id: str) -> None:
    """Callers write anything into a header."""
    with tracing.doing("call", {}):
        tracing.work_on(scan_id)
    (span,) = spans.get_finished_spans()
    assert tracing.SCAN_ID not in (span.attributes or {})


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        ("5de65f7f-53ef-9c93-b602-defbf1b87561", True),
        ("", False),
        ("a" * 65, False),
        ("two words", False),
        ("line\nbreak", False),
        ('{"level": "error"}', False),
    ],
)
def test_lines_of_a_call_name_its_request_if_that_is_an_id(
    sent: str, told: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    """The edge makes one; whoever calls directly sends what they like."""

    with telemetry.started("test", ServiceSettings(log_format="json")):
        telemetry.called_with((("x-request-id", sent),))
        structlog.get_logger("test").warning("done")
        telemetry.called_with(())
    line = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert line.get("request_id") == (sent if told else None)
