"""Progress in a terminal and in a log."""

import io

import pytest
from rich.console import Console

from eco2.scan.v1 import scan_pb2
from local.cli.display.progress import show


def states(*steps: tuple[int, str, str]) -> list[scan_pb2.Scan]:
    """Scans at these percents, stages and messages."""
    return [
        scan_pb2.Scan(progress=scan_pb2.ScanProgress(percent=percent, stage=stage, message=message))
        for percent, stage, message in steps
    ]


STEPS = states((10, "vision", "Fetching [1/3]"), (10, "vision", "Fetching [1/3]"), (100, "done", "Done"))


def test_a_log_gets_one_line_a_change() -> None:
    """CI keeps the output: no control characters, no repetition, brackets as they are."""
    output = io.StringIO()
    assert show(STEPS, Console(file=output)) == STEPS[-1]
    assert output.getvalue().splitlines() == [" 10 %  vision  Fetching [1/3]", "100 %  done    Done"]


def test_a_terminal_gets_a_bar_with_the_stages_message() -> None:
    """The message says what takes so long."""
    output = io.StringIO()
    assert show(STEPS, Console(file=output, force_terminal=True, width=100)) == STEPS[-1]
    assert "Done" in output.getvalue()
    assert "100%" in output.getvalue()


@pytest.mark.parametrize("terminal", [True, False])
def test_a_watch_without_a_state_is_an_error(terminal: bool) -> None:
    """There would be nothing to show a card of."""
    with pytest.raises(ValueError, match="without a state"):
        show([], Console(file=io.StringIO(), force_terminal=terminal))
