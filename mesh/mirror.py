"""Domain dataclasses that mirror a proto message field by field, converted both ways by name.

For messages whose meaning we only pass on: writing such conversions by hand is where fields get lost. A message and its
mirror must have the same field names (`mismatches` tells); enums mirror as StrEnums without the proto's prefix,
timestamps as datetimes in UTC, absent optional fields as None.
"""

import dataclasses
import types
import typing
from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum
from functools import cache
from typing import Any, TypeVar, cast

from google.protobuf.message import Message

T = TypeVar("T")
M = TypeVar("M", bound=Message)


def from_proto(message: Message, mirror: Callable[..., T]) -> T:
    """The dataclass for a message."""
    readers = _fields(mirror)
    values = {}
    for name, read, _ in readers:
        descriptor = message.DESCRIPTOR.fields_by_name[name]
        absent = descriptor.has_presence and not message.HasField(name)
        values[name] = None if absent else read(getattr(message, name), descriptor)
    return mirror(**values)


def to_proto(value: Any, message: type[M]) -> M:
    """The message for a dataclass."""
    filled = message()
    for name, _, write in _fields(value.__class__):
        content = getattr(value, name)
        if content is not None:
            write(filled, filled.DESCRIPTOR.fields_by_name[name], content)
    return filled


def mismatches(mirror: type, message: type[Message]) -> set[str]:
    """Names that only one of the two has."""
    return {field.name for field in dataclasses.fields(mirror)} ^ set(message.DESCRIPTOR.fields_by_name)


# A value and its field's descriptor in; the message, the descriptor and a value in.
Reader = Callable[[Any, Any], Any]
Writer = Callable[[Any, Any, Any], None]


@cache
def _fields(mirror: Callable[..., Any]) -> tuple[tuple[str, Reader, Writer], ...]:
    hints = typing.get_type_hints(mirror)
    return tuple((field.name, *_converter(hints[field.name])) for field in dataclasses.fields(cast(Any, mirror)))


def _converter(hint: Any) -> tuple[Reader, Writer]:
    """How a field of this type is read from a message, and written into one."""
    nested: Any = hint  # is_dataclass narrows what it is asked about
    if isinstance(hint, types.UnionType):  # X | None
        return _converter(next(part for part in typing.get_args(hint) if part is not types.NoneType))
    if typing.get_origin(hint) is tuple:
        item: Any = typing.get_args(hint)[0]
        if dataclasses.is_dataclass(typing.get_args(hint)[0]):
            return (
                lambda values, _: tuple(from_proto(value, item) for value in values),
                lambda message, at, values: getattr(message, at.name).extend(
                    to_proto(value, at.message_type._concrete_class) for value in values
                ),
            )
        return lambda values, _: tuple(values), lambda message, at, values: getattr(message, at.name).extend(values)
    if dataclasses.is_dataclass(hint):
        return (
            lambda value, _: from_proto(value, nested),
            lambda message, at, value: getattr(message, at.name).CopyFrom(
                to_proto(value, at.message_type._concrete_class)
            ),
        )
    if issubclass(hint, datetime):
        return (
            lambda value, _: value.ToDatetime(tzinfo=UTC),
            lambda message, at, value: getattr(message, at.name).FromDatetime(value),
        )
    if issubclass(hint, StrEnum):
        return (
            lambda number, at: hint(at.enum_type.values_by_number[number].name.removeprefix(_prefix(at))),
            lambda message, at, value: setattr(
                message, at.name, at.enum_type.values_by_name[_prefix(at) + value.value].number
            ),
        )
    return lambda value, _: value, lambda message, at, value: setattr(message, at.name, value)


def _prefix(field: Any) -> Any:
    """The prefix that every value of the field's enum carries: `OUTCOME_`, read off the first."""
    return field.enum_type.values[0].name.removesuffix("UNSPECIFIED")
