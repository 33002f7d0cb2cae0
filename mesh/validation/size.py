"""How much a request may hold: entries of its lists and maps, characters of its texts, at any depth.

Read from the rules in the protos (`max_items`, `max_pairs`, `max_len`), with limits of its own where they set none. It
looks at lengths alone, so a request of a megabyte costs next to nothing to refuse.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from buf.validate import validate_pb2
from mesh.errors import MOST_VIOLATIONS

# Where a proto sets no limit. What services tell each other about one scan stays far below.
_MOST_ENTRIES = 100
_MOST_CHARACTERS = 4096
_MOST_BYTES = 65536
# Entries of all lists and maps together: lists may stand in lists.
_MOST_ENTRIES_IN_ALL = 2000
# A text is measured before it is composed, and a composed character may have come as four.
_DECOMPOSED = 4


@dataclass(frozen=True, slots=True)
class Excess:
    """A field that holds too much.

    Attributes:
        field: Its path, such as `tags` or `rules[1].steps`.
        rule: The rule's id, as protovalidate calls it.
        most: How much it may hold.
        unit: Of what, in English.
    """

    field: str
    rule: str
    most: int
    unit: str


@dataclass(frozen=True, slots=True)
class _Limits:
    """Of one field.

    Attributes:
        entries: Of a list or a map; None for a single value.
        length: Of a text or of bytes, each; None for other types.
        is_map: Whether it is a map.
        is_text: Whether its length counts characters.
        holds_messages: Whether its values are messages, with fields of their own.
    """

    entries: int | None
    length: int | None
    is_map: bool
    is_text: bool
    holds_messages: bool


def excesses(request: Message) -> list[Excess]:
    """The first fields that hold too much; where one does, what is in it isn't looked at."""
    return list(islice(_Measure().of(request, ""), MOST_VIOLATIONS))


class _Measure:
    """One look at a request."""

    def __init__(self) -> None:
        self._entries = 0

    def of(self, message: Message, above: str) -> Iterator[Excess]:
        """What holds too much in a message at a path."""
        for field, value in message.ListFields():
            limits = _limits(field)
            if limits.entries is None:
                if limits.holds_messages or limits.length is not None:
                    yield from self._of_value(value, limits, above + field.name)
                continue
            self._entries += len(value)
            if len(value) > limits.entries or self._entries > _MOST_ENTRIES_IN_ALL:
                rule = "map.max_pairs" if limits.is_map else "repeated.max_items"
                yield Excess(above + field.name, rule, limits.entries, "entries")
            elif limits.is_map:
                for key in value:
                    yield from self._of_entry(key, value[key], above + field.name)
            elif limits.holds_messages or limits.length is not None:
                for number, one in enumerate(value):
                    yield from self._of_value(one, limits, f"{above}{field.name}[{number}]")

    def _of_value(self, value: Any, limits: _Limits, path: str) -> Iterator[Excess]:
        if limits.holds_messages:
            yield from self.of(value, f"{path}.")
        elif limits.length is not None and len(value) > limits.length * (_DECOMPOSED if limits.is_text else 1):
            rule, unit = ("string.max_len", "characters") if limits.is_text else ("bytes.max_len", "bytes")
            yield Excess(path, rule, limits.length, unit)

    def _of_entry(self, key: Any, value: Any, path: str) -> Iterator[Excess]:
        """A map's entry, told by the map's name alone: its key may be anything."""
        for each in (key, value):
            if isinstance(each, Message):
                yield from self.of(each, f"{path}.")
            elif isinstance(each, str | bytes) and len(each) > _MOST_CHARACTERS:
                yield Excess(path, "string.max_len", _MOST_CHARACTERS, "characters")


@lru_cache(maxsize=4096)
def _limits(field: FieldDescriptor) -> _Limits:
    rules = field.GetOptions().Extensions[validate_pb2.field]
    holds_messages = field.message_type is not None
    is_map = field.message_type is not None and field.message_type.GetOptions().map_entry
    entries = None
    if field.is_repeated:
        entries = (rules.map.max_pairs if is_map else rules.repeated.max_items) or _MOST_ENTRIES
    each = rules.repeated.items if field.is_repeated else rules
    length = None
    if field.type == FieldDescriptor.TYPE_STRING:
        length = each.string.max_len or _MOST_CHARACTERS
    elif field.type == FieldDescriptor.TYPE_BYTES:
        length = each.bytes.max_len or _MOST_BYTES
    return _Limits(entries, length, is_map, field.type == FieldDescriptor.TYPE_STRING, holds_messages)
