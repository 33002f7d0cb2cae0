"""What commands print: text for people, JSON for programs, and complaints for both.

On a terminal whose encoding lacks characters, such as Korean ones in ASCII, these are escaped.
"""

import io
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from google.protobuf.message import Message
    from rich.console import Console

_RED, _DIM, _BOLD, _PLAIN = "\x1b[31m", "\x1b[2m", "\x1b[1m", "\x1b[0m"


def degrade() -> None:
    """Has output escape what it can't encode, instead of failing.

    Where it was closed (`>&-`) it becomes a place that takes anything.
    """
    if sys.stdout is None:
        sys.stdout = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115  # for as long as the process
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def coloured(stream: TextIO) -> bool:
    """Whether a stream takes colours: it is a terminal that has them, and nobody said no (https://no-color.org)."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def animated(stream: TextIO) -> bool:
    """Whether a stream is a terminal on which lines can be drawn over."""
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def dim(text: str) -> str:
    """A line that matters less."""
    return f"{_DIM}{text}{_PLAIN}" if coloured(sys.stdout) else text


def bold(text: str) -> str:
    """A heading."""
    return f"{_BOLD}{text}{_PLAIN}" if coloured(sys.stdout) else text


def console(*, stderr: bool = False) -> "Console":
    """Where pictures of text go: cards, tables and bars. Made when it is needed, since that takes a while."""
    from rich.console import Console

    class Closing(Console):
        """Ends as every other output does when its reader has gone."""

        def on_broken_pipe(self) -> None:
            raise BrokenPipeError

    return Closing(stderr=stderr, highlight=False, markup=False)


def document(message: "Message") -> dict[str, Any]:
    """A message as JSON's types, as the API writes it; with its lists even where they are empty."""
    from google.protobuf import json_format

    found: dict[str, Any] = json_format.MessageToDict(message, preserving_proto_field_name=True)
    lists = [field.name for field in message.DESCRIPTOR.fields if field.is_repeated and not _is_map(field)]
    return {**{name: [] for name in lists}, **found}


def as_json(value: "Message | Mapping[str, Any]") -> str:
    """A message or a document on one line; in JSON's own escapes where the output isn't Unicode, so it remains JSON."""
    return _encoded(value if isinstance(value, Mapping) else document(value), sys.stdout)


def print_json(value: "Message | Mapping[str, Any]") -> None:
    """Prints one document, at once: whoever reads a stream of them waits for each."""
    print(as_json(value), flush=True)


def complain(line: str, reason: str, *, as_json: bool, wait: int = 0, **more: str) -> None:
    """Says on standard error why a command, or a part of it, failed.

    Args:
        line: For a person.
        reason: For a program.
        as_json: Whether a program asked.
        wait: In how many seconds a retry may succeed; 0 if that isn't known.
        more: What else a program should know, such as which photo.
    """
    if as_json:
        told = {"reason": reason, "message": line, **({"retry_after_seconds": wait} if wait else {}), **more}
        print(_encoded({"error": told}, sys.stderr), file=sys.stderr)
    else:
        print(f"{_RED}{line}{_PLAIN}" if coloured(sys.stderr) else line, file=sys.stderr)


def _encoded(value: Mapping[str, Any], stream: TextIO) -> str:
    return json.dumps(value, ensure_ascii=not (stream.encoding or "").lower().startswith("utf"))


def _is_map(field: Any) -> bool:
    return bool(field.message_type and field.message_type.GetOptions().map_entry)
