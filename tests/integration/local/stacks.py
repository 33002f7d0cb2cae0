"""Stacks that tests may break: `eco2 up` as a person starts it, with what it prints."""

import os
import select
import signal
import subprocess
import sys
from pathlib import Path
from time import monotonic

import psutil

from local.files import read_env
from local.stack.stack import StackPart

ROOT = Path(__file__).parents[3]
_READY = "Addresses and a token"


class Up:
    """One `eco2 up` in a process of its own.

    Args:
        var: Its folder.
        port: Its REST port.
        only: How much of the stack.
    """

    def __init__(self, var: Path, port: int = 0, only: StackPart = StackPart.STORES) -> None:
        self.var = var
        self.printed: list[str] = []
        command = [sys.executable, "-m", "local", "up", "--var", str(var), "--port", str(port), "--only", only]
        self.process = subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, bufsize=1
        )

    @property
    def variables(self) -> dict[str, str]:
        """What its address file says now."""
        return read_env(self.var / "stack.env")

    @property
    def pids(self) -> dict[str, int]:
        """Its children by name."""
        pairs = (pair.split("=") for pair in self.variables["ECO2_PIDS"].split(","))
        return {name: int(pid) for name, pid in pairs}

    def until(self, text: str) -> str:
        """Reads what it prints up to the line with `text`; fails if it ends before."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.printed.append(line)
            if text in line:
                return line
        raise AssertionError(f"it ended without {text!r}:\n{''.join(self.printed)}")

    def ready(self) -> "Up":
        """Waits until everything is ready."""
        self.until(_READY)
        return self

    def family(self) -> list[psutil.Process]:
        """Every process below it, the children of its children too."""
        return psutil.Process(self.process.pid).children(recursive=True)

    def end(self, signum: signal.Signals = signal.SIGTERM) -> int:
        """Sends it a signal; its exit status."""
        self.process.send_signal(signum)
        return self.process.wait(40)

    def close(self) -> None:
        """Makes sure it is gone."""
        if self.process.poll() is None:
            self.end()
        if self.process.stdout is not None:
            self.process.stdout.close()


def left(processes: list[psutil.Process], seconds: float = 15.0) -> list[psutil.Process]:
    """Waits for processes to end; those that didn't. A zombie has ended: whoever inherited it reaps it at leisure."""
    deadline = monotonic() + seconds
    return [
        process for process in processes if process.is_running() and not _ended(process.pid, deadline - monotonic())
    ]


def _ended(pid: int, seconds: float) -> bool:
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([handle], [], [], max(seconds, 0.0))[0])
    finally:
        os.close(handle)


def kill(pid: int) -> None:
    """Ends a process that the test itself started, without asking it."""
    os.kill(pid, signal.SIGKILL)
