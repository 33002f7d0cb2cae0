"""The command as a process: interrupted, read by somebody who leaves, on a terminal."""

import os
import pty
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from rich.cells import cell_len

from eco2.rules.v1.rules_service_pb2 import GetTaxonomyResponse, TaxonomyNode
from tests.support.cli.fake_edge import FakeEdge, Reply
from tests.support.cli.replies import SCAN_ID, Scans

ROOT = Path(__file__).parents[4]
# Whoever starts the tests may have it ignored, as shells do for what they run in the background.
START = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
from local.cli.main import main
main()
"""

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start(scans: Scans, edge: FakeEdge, tmp_path: Path) -> Iterator[Start]:
    """Starts a command as a signed-in user of the edge, in a process of its own."""
    processes: list[subprocess.Popen[str]] = []

    def start(*command: str, stdout: int = subprocess.PIPE, **variables: str) -> "subprocess.Popen[str]":
        environment = {
            "ECO2_REST_URL": edge.url, "ECO2_TOKEN": "token", "VAR": str(tmp_path), "PATH": os.defpath,
            "PYTHONPATH": f"{ROOT}:{ROOT / 'gen'}", "LC_ALL": "C.UTF-8", **variables,
        }  # fmt: skip
        processes.append(
            subprocess.Popen(
                [sys.executable, "-c", START, *command],
                cwd=tmp_path,
                env=environment,
                text=True,
                stdout=stdout,
                stderr=subprocess.PIPE,
            )
        )
        return processes[-1]

    yield start
    for process in processes:
        process.kill()
        process.communicate()


@pytest.mark.parametrize(
    "command", [["watch", SCAN_ID], ["scan", "a.png"], ["scan", "a.png", "b.png"]], ids=["watch", "one", "many"]
)
@pytest.mark.parametrize("as_json", [False, True], ids=["person", "program"])
def test_an_interrupted_command_says_so_in_a_line(
    start: Start, edge: FakeEdge, tmp_path: Path, command: list[str], as_json: bool
) -> None:
    """At once, though its connections are silent for half a minute yet."""
    for name in ("a.png", "b.png"):
        (tmp_path / name).write_bytes(b"photo")
    asked, over = threading.Event(), threading.Event()

    def silent() -> Iterator[bytes]:
        asked.set()
        over.wait(30)
        yield b"\n"

    answer = edge.answer
    edge.answer = lambda request: Reply(body=silent()) if request.path.endswith(":watch") else answer(request)  # type: ignore[method-assign]
    try:
        process = start(*command, *(["--json"] if as_json else []))
        assert asked.wait(30)
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=20)
    finally:
        over.set()
        del edge.answer
    assert process.returncode == 130
    last = told.splitlines()[-1]
    assert ('"INTERRUPTED"' in last) is as_json
    assert "Interrupted." in last
    assert "Traceback" not in told


def test_who_reads_only_the_beginning_isnt_told_off(start: Start, edge: FakeEdge) -> None:
    """`eco2 taxonomy | head`: more than a pipe holds, and then nobody reads."""
    nodes = [TaxonomyNode(key="k", display_name=f"category {number}" + "." * 100) for number in range(2000)]
    edge.answers["GET /v1/taxonomy"] = GetTaxonomyResponse(majors=nodes)
    process = start("taxonomy")
    assert process.stdout is not None
    assert process.stdout.readline().startswith("category 0")
    process.stdout.close()
    assert process.stderr is not None
    assert process.stderr.read() == ""
    assert process.wait(20) == 141


@pytest.mark.parametrize("command", [["--version"], ["-h"], ["whoami"], ["show", SCAN_ID]], ids=" ".join)
def test_a_pipe_that_nobody_reads_is_no_fault(start: Start, command: list[str]) -> None:
    """Not even at the very end, when what was printed is sent."""
    reading, writing = os.pipe()
    os.close(reading)
    process = start(*command, stdout=writing)
    os.close(writing)
    _, told = process.communicate(timeout=20)
    assert (process.returncode, told) == (141, "")


@pytest.mark.parametrize(("no_color", "coloured"), [("", True), ("1", False)])
def test_a_terminal_gets_colours_unless_somebody_said_no(start: Start, no_color: str, coloured: bool) -> None:
    """https://no-color.org; the frame of the card stays, and no line is wider than the terminal."""
    ours, theirs = pty.openpty()
    process = start("show", SCAN_ID, stdout=theirs, NO_COLOR=no_color, TERM="xterm-256color", COLUMNS="50")
    os.close(theirs)
    printed = b""
    try:
        while piece := os.read(ours, 4096):
            printed += piece
    except OSError:  # Linux ends a terminal so
        pass
    os.close(ours)
    assert process.wait(20) == 0
    text = printed.decode()
    assert ("\x1b[32m" in text) is coloured
    assert "Metal can" in text
    plain = re.sub(r"\x1b\[[\d;]*m", "", text)
    assert max(map(cell_len, plain.splitlines())) == 50


def test_off_a_terminal_there_are_none(start: Start) -> None:
    """Whatever the environment says of one."""
    out, told = start("show", SCAN_ID, TERM="xterm-256color").communicate(timeout=20)
    assert "Metal can" in out
    assert "\x1b" not in out + told
