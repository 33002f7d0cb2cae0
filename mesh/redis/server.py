"""What the guard needs of Redis, whatever its shape; and one server, also the one that Sentinels name."""

from collections.abc import Sequence
from typing import Any, Protocol

from redis.asyncio import ConnectionPool
from redis.asyncio.connection import AbstractConnection
from redis.asyncio.sentinel import Sentinel, SentinelConnectionPool
from redis.exceptions import ConnectionError, ResponseError

from mesh.concurrency.silence_timeout import silence_timeout
from mesh.redis.subscription import Subscription, subscribe

Word = bytes | str | int | float
Command = tuple[Word, ...]


class Server(Protocol):
    """Redis, to talk to.

    Attributes:
        sharded: Whether keys lie on several servers: then a command or script touches those of one hash tag alone.
    """

    sharded: bool

    async def exchange(self, commands: Sequence[Command]) -> list[Any]:
        """Sends commands together; their answers in order, an error that is an answer among them.

        Raises:
            RedisError, OSError, TimeoutError: It is away.
        """

    def replaced(self) -> bool:
        """Whether, since this was asked last, another server was found in the place of one: it may lack writes."""

    async def probes(self) -> Sequence[Command]:
        """Writes that show, if all are answered, that Redis is there: a replica would answer a PING."""

    async def subscription(self, channels: Sequence[str]) -> Subscription:
        """Connections on which all that is published on the channels arrives from now on.

        Raises:
            Moving: Not now; it isn't away.
            RedisError, OSError, TimeoutError: It is away.
        """

    async def hang_up(self) -> None:
        """Closes connections that nobody uses."""

    async def aclose(self) -> None:
        """Closes everything."""


class Primary:
    """One server that takes writes.

    Args:
        pool: Connections to it, without a time limit of their own; those of a Sentinel's pool find it again.
        timeout: Seconds for any answer.
        sentinel: Closed with it, if there is one.
    """

    sharded = False

    def __init__(self, pool: ConnectionPool, timeout: float, sentinel: Sentinel | None = None) -> None:
        self._pool = pool
        self._timeout = timeout
        self._sentinel = sentinel
        self._address: object = None

    async def exchange(self, commands: Sequence[Command]) -> list[Any]:
        """As the port says."""
        try:
            return await self._send(commands)
        except ConnectionError:
            # A connection that Redis closed while it was idle is worth a second try; silence isn't.
            return await self._send(commands)

    def replaced(self) -> bool:
        """As the port says."""
        if not isinstance(self._pool, SentinelConnectionPool):
            return False
        before, self._address = self._address, self._pool.master_address
        return before is not None and before != self._address

    async def probes(self) -> Sequence[Command]:
        """As the port says."""
        return [("SET", "probe", 1, "EX", 60)]

    async def subscription(self, channels: Sequence[str]) -> Subscription:
        """As the port says."""
        connection: AbstractConnection = self._pool.make_connection()  # type: ignore[no-untyped-call]
        async with silence_timeout(self._timeout):
            await subscribe(connection, "SUBSCRIBE", channels)
        return Subscription([connection])

    async def hang_up(self) -> None:
        """As the port says."""
        await self._pool.disconnect(inuse_connections=False)

    async def aclose(self) -> None:
        """As the port says."""
        await self._pool.aclose()
        if self._sentinel:
            await self._sentinel.aclose()

    async def _send(self, commands: Sequence[Command]) -> list[Any]:
        # As redis-py's pipeline does it, for a third less (ADR 0025). A connection that is left in the middle of a
        # conversation is closed by redis-py.
        async with silence_timeout(self._timeout):
            connection = await self._pool.get_connection()  # type: ignore[no-untyped-call]
            try:
                await connection.send_packed_command(connection.pack_commands(commands))
                return [await reply(connection) for _ in commands]
            finally:
                await self._pool.release(connection)


async def reply(connection: AbstractConnection) -> Any:
    """The next answer; an error that is one, too."""
    try:
        return await connection.read_response()
    except ResponseError as error:
        return error
