"""Log lines of at most 4 kB, whatever is told in them: a request, an exception, what a library says.

Collectors cut or drop longer ones, and a line that grows with a request lets a client fill the disk.
"""

from collections.abc import Callable, Mapping, MutableMapping
from typing import Any

LONGEST_LINE = 4096  # bytes

# Tried in turn: characters of a text, entries of a list or mapping.
_STEPS = ((1000, 50), (250, 16), (60, 8))
_DEEPEST = 8
# What is left when nothing else helps.
_ESSENTIAL = ("service", "timestamp", "level", "event", "trace_id", "logger", "method")
# Not for people.
_OF_STRUCTLOG = ("_record", "_from_structlog")

Render = Callable[[Any, str, MutableMapping[str, Any]], str | bytes]


class Bounded:
    """Renders events as lines, cutting out the middle of what is too long.

    Args:
        render: Makes the line: structlog's last processor.
    """

    def __init__(self, render: Render) -> None:
        self._render = render

    def __call__(self, logger: Any, method: str, event: MutableMapping[str, Any]) -> str:
        """Called by structlog."""
        for characters, entries in _STEPS:
            line = self._line(logger, method, _event(event, characters, entries))
            if len(line) <= LONGEST_LINE:
                return line.decode()
        essential = {key: event[key] for key in _ESSENTIAL if key in event}
        return self._line(logger, method, _event(essential, *_STEPS[-1])).decode()

    def _line(self, logger: Any, method: str, event: MutableMapping[str, Any]) -> bytes:
        line = self._render(logger, method, event)
        # Half a surrogate pair can't be written to any stream.
        return line if isinstance(line, bytes) else line.encode("utf-8", "replace")


def _event(event: Mapping[str, Any], characters: int, entries: int) -> dict[str, Any]:
    return {
        _text(key, characters): value if key in _OF_STRUCTLOG else _cut(value, characters, entries, _DEEPEST)
        for key, value in event.items()
    }


def _cut(value: Any, characters: int, entries: int, depth: int) -> Any:
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, int):
        return value if abs(value) < 1 << 64 else _text(hex(value), characters)
    if isinstance(value, Mapping) and depth:
        items = list(value.items())[:entries]
        return {_text(str(key), characters): _cut(each, characters, entries, depth - 1) for key, each in items}
    if isinstance(value, list | tuple | set | frozenset) and depth:
        # Of a traceback the last frames tell most.
        kept: list[Any] = list(value)
        if len(kept) > entries:
            kept = [*kept[: entries // 4], f"[{len(kept) - entries} more]", *kept[entries // 4 - entries :]]
        return [_cut(each, characters, entries, depth - 1) for each in kept]
    return _text(value if isinstance(value, str) else repr(value), characters)


def _text(text: str, characters: int) -> str:
    """Its beginning and its end."""
    if len(text) <= characters:
        return text
    half = characters // 2
    return f"{text[:half]}[{len(text) - 2 * half} more]{text[-half:]}"
