"""Shows how scans and jobs get on: bars on a terminal, a line a change elsewhere, nothing for programs."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from eco2.scan.v1 import scan_pb2
from local.cli.display import terminal

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from eco2.jobs.v1.job_pb2 import Job


class Board(Protocol):
    """Where progress is shown; threads share it."""

    def update(self, name: str, work: "scan_pb2.Scan | Job") -> None:
        """Shows how far a scan or a job is, under a photo's name or an id."""

    def remove(self, name: str) -> None:
        """Takes a photo that is done off it."""


class Silence:
    """For programs."""

    def update(self, name: str, work: "scan_pb2.Scan | Job") -> None:
        """Shows nothing."""

    def remove(self, name: str) -> None:
        """Shows nothing."""


class Lines:
    """A line a change, for logs.

    Args:
        named: Whether each begins with the photo's name.
    """

    def __init__(self, *, named: bool) -> None:
        self._named = named
        self._shown: dict[str, str] = {}

    def update(self, name: str, work: "scan_pb2.Scan | Job") -> None:
        """Prints a line, unless it is the last one again."""
        line = "{:3d} %  {:<7} {}".format(*_now(work)).rstrip()
        if self._shown.get(name) != line:
            self._shown[name] = line
            print(f"{name}: {line}" if self._named else line, file=sys.stderr)

    def remove(self, name: str) -> None:
        """Forgets a photo."""
        self._shown.pop(name, None)


class Bars:
    """A bar for each photo that is under way.

    Args:
        progress: What draws them.
        named: Whether each begins with the photo's name.
    """

    def __init__(self, progress: "Progress", *, named: bool) -> None:
        self._progress = progress
        self._named = named
        self._tasks: dict[str, TaskID] = {}

    def update(self, name: str, work: "scan_pb2.Scan | Job") -> None:
        """Moves a photo's bar."""
        if name not in self._tasks:
            self._tasks[name] = self._progress.add_task("…", total=100, name=f"{name} " if self._named else "")
        percent, _, message = _now(work)
        self._progress.update(self._tasks[name], completed=percent, description=message or "…")

    def remove(self, name: str) -> None:
        """Takes a photo's bar away where there are others; a single one stays, full."""
        if self._named and name in self._tasks:
            self._progress.remove_task(self._tasks.pop(name))


def _now(work: "scan_pb2.Scan | Job") -> tuple[int, str, str]:
    """Percent, stage or step, and what a person reads."""
    if isinstance(work, scan_pb2.Scan):
        return work.progress.percent, work.progress.stage, work.progress.message
    return work.percent, work.step, work.message


@contextmanager
def board(*, silent: bool, many: bool = False) -> Iterator[Board]:
    """Somewhere to show progress, on standard error.

    Args:
        silent: Whether a program asked.
        many: Whether several photos share it.
    """
    if silent:
        yield Silence()
    elif terminal.animated(sys.stderr):
        with _drawn() as progress:
            yield Bars(progress, named=many)
    else:
        yield Lines(named=many)


def _drawn() -> "Progress":
    from rich.progress import BarColumn, Progress, SpinnerColumn, TaskProgressColumn, TextColumn, TimeElapsedColumn
    from rich.table import Column

    texts = [
        TextColumn(f"{{{text}}}", markup=False, table_column=Column(no_wrap=True, overflow="ellipsis", ratio=ratio))
        for text, ratio in (("task.fields[name]", 1), ("task.description", 2))
    ]
    name, message = texts
    bar = BarColumn(20)
    columns = (SpinnerColumn(), name, bar, TaskProgressColumn(), message, TimeElapsedColumn())
    return Progress(*columns, console=terminal.console(stderr=True))
