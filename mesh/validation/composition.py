"""Unicode's composed form (NFC) for every text of a request.

Keyboards and file systems of some phones and computers send Korean syllables as separate letters, which look the same
and compare unequal. Texts are composed once, at the door, so that nobody behind it has to think of it. Addresses and
what a proto marks as `opaque` stay letter by letter: a signature, a path or a person's identity may depend on it.
"""

from functools import lru_cache
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from buf.validate import validate_pb2
from eco2.text.v1 import text_pb2
from mesh.validation.normalization import composed


def compose(message: Message) -> None:
    """Composes every text in a message, in place, but those that are kept letter by letter."""
    for field, value in message.ListFields():
        if _is_text(field):
            _compose_field(message, field, value)
        elif field.message_type is not None:
            for each in _messages(field.message_type, value) if field.is_repeated else (value,):
                compose(each)


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
