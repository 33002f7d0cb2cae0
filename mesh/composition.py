"""Unicode's composed form (NFC) for every text of a request.

Keyboards and file systems of some phones and computers send Korean syllables as separate letters, which look the same
and compare unequal. Texts are composed once, at the door, so that nobody behind it has to think of it. Addresses and
what a proto marks as `opaque` stay letter by letter: a signature, a path or a person's identity may depend on it.
"""

import unicodedata
from functools import lru_cache
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from buf.validate import validate_pb2
from eco2.text.v1 import text_pb2

# Combining marks in a row, as Unicode's stream-safe format allows them (UAX #15): no language needs more, and ordering
# them takes time that grows with the square of their number.
_MOST_MARKS = 30


def composed(text: str) -> str:
    """A text in NFC; as it is when it is none: with more than 30 combining marks in a row."""
    if text.isascii() or unicodedata.is_normalized("NFC", text) or not _is_stream_safe(text):
        return text
    return unicodedata.normalize("NFC", text)


def compose(message: Message) -> None:
    """Composes every text in a message, in place, but those that are kept letter by letter."""
    for field, value in message.ListFields():
        if _is_text(field):
            _compose_field(message, field, value)
        elif field.message_type is not None:
            for each in _messages(field.message_type, value) if field.is_repeated else (value,):
                compose(each)


def _is_stream_safe(text: str) -> bool:
    marks = 0
    for each in text:
        marks = marks + 1 if unicodedata.combining(each) else 0
        if marks > _MOST_MARKS:
            return False
    return True


def _compose_field(message: Message, field: FieldDescriptor, value: Any) -> None:
    if not field.is_repeated:
        if not value.isascii() and (text := composed(value)) != value:
            setattr(message, field.name, text)
        return
    for number, one in enumerate(value):
        if not one.isascii() and (text := composed(one)) != one:
            value[number] = text


def _messages(kind: Descriptor, value: Any) -> list[Message]:
    """The messages in a list or a map. A map's texts are left alone: no request has one."""
    values = value.values() if kind.GetOptions().map_entry else value
    return [each for each in values if isinstance(each, Message)]


@lru_cache(maxsize=4096)
def _is_text(field: FieldDescriptor) -> bool:
    if field.type != FieldDescriptor.TYPE_STRING:
        return False
    options = field.GetOptions()
    return not (options.Extensions[text_pb2.opaque] or options.Extensions[validate_pb2.field].string.uri)
