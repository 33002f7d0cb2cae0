"""What Redis publishes, heard on connections of redis-py's: one, or on a cluster one to each primary.

Not through redis-py's PubSub: it connects again in silence, and what was published meanwhile is lost.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from redis.asyncio.connection import AbstractConnection
from redis.exceptions import RedisError

from mesh.concurrency.silence_timeout import PARTS
from mesh.concurrency.tasks import end

# A connection that says nothing, not even to a ping, for this long is given up: it may be half open. It is listened to
# in parts, of which a stall of this process costs one.
_SILENCE_SECONDS = 0.5

Heard = Callable[[bytes | None], None]


class Moving(RedisError):
    """Channels are on their way from one server to another: in a moment one can subscribe."""


def _always() -> bool:
    return True


class Subscription:
    """Everything that is published on some channels, until a connection fails or channels move.

    Args:
        connections: On which the channels were subscribed to.
        stands: Whether the channels are still where they were; asked several times a second.
    """

    def __init__(self, connections: Sequence[AbstractConnection], stands: Callable[[], bool] = _always) -> None:
        self._heard_at = dict.fromkeys(connections, time.monotonic())
        self._stands = stands

    @property
    def heard_at(self) -> float:
        """When the connection that has been silent for longest said something last, on the monotonic clock."""
        return min(self._heard_at.values())

    async def listen(self, heard: Heard, wanted: Callable[[], bool]) -> None:
        """Hands messages on; None for a sign of life. Returns when channels have moved, or nobody wants to hear more.

        Args:
            heard: Called with each message.
            wanted: Asked several times a second.

        Raises:
            RedisError, OSError, TimeoutError: A connection failed, or fell silent.
        """
        tasks = [asyncio.create_task(self._hear(connection, heard, wanted)) for connection in self._heard_at]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            await end(*tasks)

    async def aclose(self) -> None:
        """Hangs up."""
        await hang_up(list(self._heard_at))

    async def _hear(self, connection: AbstractConnection, heard: Heard, wanted: Callable[[], bool]) -> None:
        silent = 0
        while wanted() and self._stands():
            word = await connection.read_response(timeout=_SILENCE_SECONDS / PARTS, push_request=True)
            if word is None:
                silent += 1
                if silent == PARTS:
                    await connection.send_command("PING")
                elif silent == 2 * PARTS:
                    raise TimeoutError("the subscription fell silent")
                continue
            silent = 0
            self._heard_at[connection] = time.monotonic()
            kind = _kind(word)
            if kind == b"sunsubscribe":  # of itself: the channel's slot has moved to another server
                return
            heard(word[2] if kind in (b"message", b"smessage") else None)


async def subscribe(connection: AbstractConnection, command: str, channels: Sequence[str]) -> None:
    """Connects and subscribes; returns when Redis has said so of each channel. The connection is closed if it doesn't.

    Args:
        connection: A new one, which nobody else uses.
        command: SUBSCRIBE, or SSUBSCRIBE, which takes one slot's channels.
        channels: Which.

    Raises:
        RedisError, OSError: It can't. MovedError, Moving: A channel is elsewhere.
    """
    try:
        await connection.connect()  # type: ignore[no-untyped-call]
        await connection.send_packed_command(connection.pack_commands([(command, channel) for channel in channels]))
        missing = len(channels)
        while missing:
            kind = _kind(await connection.read_response(push_request=True))
            if kind == b"sunsubscribe":
                raise Moving
            missing -= kind == command.lower().encode()
    except BaseException:
        await hang_up([connection])
        raise


async def hang_up(connections: Sequence[AbstractConnection]) -> None:
    """Closes connections, broken ones too."""
    for connection in connections:
        with suppress(RedisError, OSError):
            await connection.disconnect(nowait=True)


def _kind(word: Any) -> Any:
    """What a message of a subscription is; an answer to PING may be no list."""
    return word[0] if isinstance(word, list) else word
