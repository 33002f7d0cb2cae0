"""Log lines of at most 4 kB, whatever is told in them: a request, an exception, what a library says; and no user's id.

Collectors cut or drop longer ones, and a line that grows with a request lets a client fill the disk.
"""

from collections.abc import Callable, Mapping, MutableMapping
from typing import Any

from mesh.observability.users import Pseudonyms

LONGEST_LINE = 4096  # bytes

# Tried in turn: characters of a text, entries of a list or mapping.
_STEPS = ((1000, 50), (250, 16), (60, 8))
_DEEPEST = 8
# What is left when nothing else helps.
_ESSENTIAL = (
    "service", "timestamp", "level", "event", "trace_id", "request_id", "user", "operator", "logger", "method",
)  # fmt: skip
# Our own words, in which nobody's id is looked for.
_OURS = frozenset(_ESSENTIAL) - {"event", "request_id"}
# Not for people.
_OF_STRUCTLOG = ("_record", "_from_structlog")

Render = Callable[[Any, str, MutableMapping[str, Any]], str | bytes]
Hide = Callable[[str], str]


class Bounded:
    """Renders events as lines, cutting out the middle of what is too long.

    Args:
        render: Makes the line: structlog's last processor.
        pseudonyms: What stands for users.
    """

    def __init__(self, render: Render, pseudonyms: Pseudonyms) -> None:
        self._render = render
        self._pseudonyms = pseudonyms

    def __call__(self, logger: Any, method: str, event: MutableMapping[str, Any]) -> str:
        """Called by structlog."""
        hide = self._pseudonyms.hiding()
        if user := self._pseudonyms.current():
            event["user"] = user
        for characters, entries in _STEPS:
            line = self._line(logger, method, _event(event, characters, entries, hide))
            if len(line) <= LONGEST_LINE:
                return line.decode()
        essential = {key: event[key] for key in _ESSENTIAL if key in event}
        return self._line(logger, method, _event(essential, *_STEPS[-1], hide)).decode()

    def _line(self, logger: Any, method: str, event: MutableMapping[str, Any]) -> bytes:
        line = self._render(logger, method, event)
        # Half a surrogate pair can't be written to any stream.
        return line if isinstance(line, bytes) else line.encode("utf-8", "replace")


def _event(event: Mapping[str, Any], characters: int, entries: int, hide: Hide) -> dict[str, Any]:
    return {
        _text(key, characters, str): value
        if key in _OF_STRUCTLOG
        else _cut(value, characters, entries, _DEEPEST, str if key in _OURS else hide)
        for key, value in event.items()
    }


def _cut(value: Any, characters: int, entries: int, depth: int, hide: Hide) -> Any:
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, int):
        return value if abs(value) < 1 << 64 else _text(hex(value), characters, hide)
    if isinstance(value, Mapping) and depth:
        items = list(value.items())[:entries]
        return {
            _text(str(key), characters, hide): _cut(each, characters, entries, depth - 1, hide) for key, each in items
        }
    if isinstance(value, list | tuple | set | frozenset) and depth:
        # Of a traceback the last frames tell most.
        kept: list[Any] = list(value)
        if len(kept) > entries:
            kept = [*kept[: entries // 4], f"[{len(kept) - entries} more]", *kept[entries // 4 - entries :]]
        return [_cut(each, characters, entries, depth - 1, hide) for each in kept]
    return _text(value if isinstance(value, str) else repr(value), characters, hide)


def _text(text: str, characters: int, hide: Hide) -> str:
    """Its beginning and its end."""
    text = hide(text)  # first: half an id is an id, too
    if len(text) <= characters:
        return text
    half = characters // 2
    return f"{text[:half]}[{len(text) - 2 * half} more]{text[-half:]}"
