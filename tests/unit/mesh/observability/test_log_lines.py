"""Log lines stay small, whatever they tell."""

import json
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Literal

import pytest
import structlog

from mesh.observability import telemetry
from mesh.observability.log_lines import LONGEST_LINE
from mesh.settings import ServiceSettings

Form = Literal["json", "console"]
HUGE = "가" * 1_000_000


@contextmanager
def logging_as(form: Form) -> Iterator[None]:
    """Logs as a service does, into what the test captures."""
    root = logging.getLogger()
    with telemetry.started("test", ServiceSettings(log_format=form)):
        (handler,) = (each for each in root.handlers if type(each) is logging.StreamHandler)
        try:
            yield
        finally:
            root.removeHandler(handler)


def fails(depth: int) -> None:
    """An exception with many frames and a long text."""
    if depth:
        return fails(depth - 1)
    raise ValueError(HUGE)


def tells_exception(tell: Callable[..., Any]) -> None:
    try:
        fails(200)
    except ValueError as error:
        tell("rpc failed", exc_info=error)


def tells(**facts: Any) -> Callable[[], Any]:
    return lambda: structlog.get_logger("test").error("told", **facts)


TOLD: dict[str, Callable[[], Any]] = {
    "a long text": tells(detail=HUGE),
    "a long event": lambda: structlog.get_logger("test").error(HUGE),
    "many facts": tells(**{f"fact{number}": "x" * 300 for number in range(1000)}),
    "a long list": tells(tags=["x"] * 100_000),
    "a deep list": tells(detail={"fields": [[{"a": [HUGE] * 40}] * 40] * 40}),
    "an object": tells(detail=type("Foreign", (), {"__repr__": lambda _: HUGE})()),
    "control characters": tells(detail="\x01" * 100_000),
    "half a surrogate pair": tells(detail="\ud800" * 10_000),
    "a long name": tells(**{"x" * 100_000: 1}),
    "a huge number": tells(detail=10**10_000),
    "a traceback": lambda: tells_exception(structlog.get_logger("test").error),
    "a library": lambda: logging.getLogger("library").warning("told %s", HUGE),
    "a library's traceback": lambda: tells_exception(logging.getLogger("library").error),
}


@pytest.mark.parametrize("tell", TOLD.values(), ids=TOLD)
def test_a_line_has_at_most_four_kilobytes(tell: Callable[[], Any], capfd: pytest.CaptureFixture[str]) -> None:
    """A request of 1 MB once made a line of 4.6 MB."""
    with logging_as("json"):
        tell()
    written = "".join(capfd.readouterr())
    (line,) = written.splitlines()
    assert len(line.encode()) <= LONGEST_LINE
    assert json.loads(line)["service"] == "test"


@pytest.mark.parametrize("tell", TOLD.values(), ids=TOLD)
def test_a_developers_terminal_is_spared_too(tell: Callable[[], Any], capfd: pytest.CaptureFixture[str]) -> None:
    """The console's form has several lines; all of them together are bounded."""
    with logging_as("console"):
        tell()
    assert 0 < len("".join(capfd.readouterr()).encode()) <= LONGEST_LINE + 1


def test_of_a_traceback_the_end_is_kept(capfd: pytest.CaptureFixture[str]) -> None:
    """Where it was raised is what one looks for."""
    with logging_as("json"):
        tells_exception(structlog.get_logger("test").error)
    (stack,) = json.loads(capfd.readouterr().out)["exception"]
    assert stack["exc_type"] == "ValueError"
    assert stack["frames"][-1]["name"] == "fails"
