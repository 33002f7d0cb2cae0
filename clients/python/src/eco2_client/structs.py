"""How JSON becomes objects: frozen, typed, and open to what a newer server adds."""

from datetime import timedelta
from enum import StrEnum
from typing import Any, Self, TypeVar

import msgspec

T = TypeVar("T")


class Message(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One object of the API. Fields that this release doesn't know are passed over; absent ones have their default."""


class OpenEnum(StrEnum):
    """An enum to which a newer server may add values: one that isn't known is a member, too, named as it came."""

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        if not isinstance(value, str):
            return None
        member = str.__new__(cls, value)
        member._name_ = member._value_ = value
        return member


class Duration(timedelta):
    """A time span. On the wire it is text in seconds: "1.5s"."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Reads it from the wire.

        Raises:
            ValueError: It is no duration.
        """
        if not text.endswith("s"):
            raise ValueError(f"not a duration: {text!r}")
        return cls(seconds=float(text[:-1]))


class LatLng(Message, frozen=True, kw_only=True):
    """A place on earth, WGS 84.

    Attributes:
        latitude: In degrees, north positive.
        longitude: In degrees, east positive.
    """

    latitude: float = 0.0
    longitude: float = 0.0


class Status(Message, frozen=True, kw_only=True):
    """An error as it is on the wire (`google.rpc.Status`); `eco2_client.errors` reads it.

    Attributes:
        code: Of gRPC, such as 5 for NOT_FOUND.
        message: English, for developers.
        details: ErrorInfo, BadRequest, RetryInfo and LocalizedMessage, each with its "@type".
    """

    code: int = 0
    message: str = ""
    details: tuple[dict[str, Any], ...] = ()


def decode(content: bytes | str, type_: type[T]) -> T:
    """Reads a reply.

    Raises:
        msgspec.MsgspecError: It isn't JSON, or not what was expected.
        UnicodeDecodeError: It isn't text.
    """
    # Not strict: 64-bit integers are text on the wire.
    try:
        return msgspec.json.decode(content, type=type_, strict=False, dec_hook=_special)
    except RecursionError:
        raise msgspec.DecodeError("it is too deep") from None


def encode(value: object) -> bytes:
    """Writes a request's body."""
    return msgspec.json.encode(value)


def _special(type_: type[Any], value: object) -> object:
    if type_ is Duration and isinstance(value, str):
        return Duration.parse(value)
    raise NotImplementedError(type_)
