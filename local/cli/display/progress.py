"""Shows a scan's progress."""

from collections.abc import Iterable

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskProgressColumn, TextColumn, TimeElapsedColumn

from eco2.scan.v1 import scan_pb2


def show(scans: Iterable[scan_pb2.Scan], console: Console) -> scan_pb2.Scan:
    """Draws a bar, or a line a change where the output isn't a terminal, until the states end.

    Returns:
        The last state.

    Raises:
        ValueError: There was none.
    """
    return _draw(scans, console) if console.is_terminal else _print(scans, console)


def _draw(scans: Iterable[scan_pb2.Scan], console: Console) -> scan_pb2.Scan:
    last = None
    columns = (SpinnerColumn(), BarColumn(30), TaskProgressColumn(), TextColumn("{task.description}"))
    with Progress(*columns, TimeElapsedColumn(), console=console) as progress:
        task = progress.add_task("…", total=100)
        for last in scans:
            progress.update(task, completed=last.progress.percent, description=last.progress.message or "…")
    return _found(last)


def _print(scans: Iterable[scan_pb2.Scan], console: Console) -> scan_pb2.Scan:
    last, shown = None, ""
    for last in scans:
        line = f"{last.progress.percent:3d} %  {last.progress.stage:<7} {last.progress.message}"
        if line != shown:
            console.print(line, highlight=False)
            shown = line
    return _found(last)


def _found(last: scan_pb2.Scan | None) -> scan_pb2.Scan:
    if last is None:
        raise ValueError("a watch without a state")
    return last
