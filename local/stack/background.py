"""A stack in a process of its own, beside whoever uses it: the demo, tests, benchmarks."""

import contextlib
import functools
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from local.errors import NotStarted
from local.files import ENV_FILE, read_env
from local.stack import envoy
from local.stack.stack import StackPart

_STOP_SECONDS = 120.0  # longer than all grace periods of what is stopped in sequence


@contextmanager
def running(
    var: Path,
    port: int = 0,
    part: StackPart = StackPart.ALL,
    command: Sequence[str] = (),
    processes: int | None = 1,
    tls: bool = False,
    demo: bool = False,
    stores: Sequence[str] = (),
) -> Iterator[dict[str, str]]:
    """As `starting`, and ready.

    Yields:
        The variables of its address file.

    Raises:
        NotStarted: It ended before it was ready; the text is what it printed.
    """
    with starting(var, port, part, command, processes, tls, demo, stores) as ready:
        yield ready()


@contextmanager
def starting(
    var: Path,
    port: int = 0,
    part: StackPart = StackPart.ALL,
    command: Sequence[str] = (),
    processes: int | None = 1,
    tls: bool = False,
    demo: bool = False,
    stores: Sequence[str] = (),
) -> Iterator[Callable[[], dict[str, str]]]:
    """A stack in a process of its own, started by `eco2 up`.

    Args:
        var: Its folder.
        port: Where the edge listens; 0 for any free port.
        part: How much of it to run.
        command: A module and its arguments to run instead of `eco2 up --tied`.
        processes: How many processes serve the mesh, each all services; None: one for each service.
        tls: Whether services ask each caller for a certificate.
        demo: Whether one can sign in as the demo user.
        stores: In which shapes the stores run; see `local.stack.stores.shapes`.

    Yields:
        Waits until it is ready and returns the variables of its address file; raises NotStarted, with what it printed,
        if it ends before.
    """
    var.mkdir(parents=True, exist_ok=True)
    shape = ("--split",) if processes is None else ("--processes", str(processes))
    usual = ("local", "up", "--tied", "--var", str(var), "--port", str(port), "--only", part, *shape)
    usual += (("--tls",) if tls else ()) + (() if demo else ("--no-demo-user",))
    usual += ("--stores", ",".join(stores)) if stores else ()
    with (var / "up.log").open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", *(command or usual)],
            cwd=envoy.ROOT, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
        )  # fmt: skip
    try:
        yield functools.partial(_awaited, var, process)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(_STOP_SECONDS)


def _awaited(var: Path, process: subprocess.Popen[bytes]) -> dict[str, str]:
    while process.poll() is None:
        with contextlib.suppress(FileNotFoundError):
            variables = read_env(var / ENV_FILE)
            if variables["ECO2_SUPERVISOR"] == str(process.pid):  # else the file of a killed stack
                return variables
        time.sleep(0.02)
    raise NotStarted((var / "up.log").read_text(encoding="utf-8").strip())
