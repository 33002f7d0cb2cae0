"""Replies that are bytes already: those that are made once and sent often."""

from collections.abc import Callable
from typing import Any, NewType

# A reply as it goes over the wire. A servicer may return it in the place of the message that it encodes.
Encoded = NewType("Encoded", bytes)


def passing_encoded(serialize: Callable[[Any], bytes]) -> Callable[[Any], bytes]:
    """A serialiser that lets those pass."""

    def write(reply: Any) -> bytes:
        return reply if isinstance(reply, bytes) else serialize(reply)

    return write
