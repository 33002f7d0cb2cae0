"""Redis behind a breaker: a client that gives up quickly, since everything in Redis can be had elsewhere.

Commands given while others are on their way go out together next, on one connection: of ten together each costs a fifth
of one alone.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import structlog
from redis.asyncio import ConnectionPool, Redis
from redis.asyncio.connection import AbstractConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError, NoScriptError, RedisError, ResponseError

from mesh.circuit_breakers import CircuitBreaker, CircuitOpen
from mesh.concurrency.silence_timeout import silence_timeout
from mesh.concurrency.tasks import end

_log = structlog.get_logger("redis")

T = TypeVar("T")

# What a caller of Redis must be ready for.
DOWN = (RedisError, OSError, TimeoutError)

_TOGETHER = 256

Word = bytes | str | int | float
_Waiting = tuple[tuple[Word, ...], "asyncio.Future[Any]"]


async def answer(command: Awaitable[T]) -> T:
    """Redis' answer to a command of redis-py's own client, as the subscription uses it.

    redis-py sends through `asyncio.wait_for`, which on Python 3.11 loses a cancellation that arrives together with the
    result: measured, every third one. A scan that was cancelled would then run on.
    """
    result = await command
    task = asyncio.current_task()
    if task and task.cancelling():
        raise asyncio.CancelledError
    return result


class GuardedRedis:
    """Redis for those who can do without it.

    Args:
        client: redis-py's own client.
        pool: Connections for commands, without a time limit of their own.
        timeout: Seconds for any answer.

    Attributes:
        client: redis-py's own client, for the subscription.
        breaker: Whether Redis is there.
    """

    def __init__(self, client: Redis, pool: ConnectionPool, timeout: float) -> None:
        self.client = client
        self._pool = pool
        # A write, since a primary that was just made a replica still answers a PING.
        self.breaker = CircuitBreaker("redis", DOWN, lambda: self._answer(("SET", "probe", 1, "EX", 60)))
        self._timeout = timeout
        self._waiting: list[_Waiting] = []
        self._sent: list[_Waiting] = []
        self._sending: asyncio.Task[None] | None = None

    async def execute(self, *command: Word) -> Any:
        """Redis' answer to a command, given word by word.

        Raises:
            RedisError, OSError, TimeoutError: It is away; see `DOWN`.
        """
        self.breaker.demand()
        return await self._answer(command)

    def script(self, text: str) -> "Script":
        """A Lua script."""
        return Script(self, text)

    async def aclose(self) -> None:
        """Hangs up. Who still waits, or comes later, is told that Redis is away; nothing is opened again."""
        await self.breaker.aclose()
        if self._sending:
            await end(self._sending)
        for _, answered in (*self._sent, *self._waiting):
            self._settle(answered, CircuitOpen("hung up"))
        await self._pool.aclose()
        await self.client.aclose()

    def _answer(self, command: tuple[Word, ...]) -> "asyncio.Future[Any]":
        answered: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting.append((command, answered))
        if self._sending is None:
            self._sending = asyncio.create_task(self._drain(), name="redis")
        return answered

    async def _drain(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting[:_TOGETHER], self._waiting[_TOGETHER:]
                self._sent = batch
                try:
                    replies = await self._exchange([command for command, _ in batch])
                except Exception as error:
                    if not isinstance(error, DOWN):
                        # A fault of ours. What is still to come on this connection is nobody's answer any more.
                        _log.exception("conversation broke")
                        await self._pool.disconnect(inuse_connections=False)
                        error = CircuitOpen(repr(error))
                    self.breaker.open(error)
                    batch, self._waiting = batch + self._waiting, []
                    replies = [error] * len(batch)
                for (_, answered), reply in zip(batch, replies, strict=True):
                    self._settle(answered, reply)
        finally:
            self._sending = None

    def _settle(self, answered: "asyncio.Future[Any]", reply: Any) -> None:
        if isinstance(reply, ResponseError) and not isinstance(reply, NoScriptError):
            # A replica that takes no writes, memory that is full: as good as away.
            self.breaker.open(reply)
        if answered.done():  # who asked has left
            return
        if isinstance(reply, Exception):
            answered.set_exception(reply)
        else:
            answered.set_result(reply)

    async def _exchange(self, commands: Sequence[tuple[Word, ...]]) -> list[Any]:
        """Sends commands together; their answers in order, an error that is an answer among them."""
        try:
            return await self._send(commands)
        except ConnectionError:
            # A connection that Redis closed while it was idle is worth a second try; silence isn't.
            return await self._send(commands)

    async def _send(self, commands: Sequence[tuple[Word, ...]]) -> list[Any]:
        # As redis-py's pipeline does it, for a third less (ADR 0025). A connection that is left in the middle of a
        # conversation is closed by redis-py.
        async with silence_timeout(self._timeout):
            connection = await self._pool.get_connection()  # type: ignore[no-untyped-call]
            try:
                await connection.send_packed_command(connection.pack_commands(commands))
                return [await _reply(connection) for _ in commands]
            finally:
                await self._pool.release(connection)


async def _reply(connection: AbstractConnection) -> Any:
    """The next answer; an error that is one, too."""
    try:
        return await connection.read_response()
    except ResponseError as error:
        return error


class Script:
    """A Lua script that Redis knows by its digest, and is told again when it has forgotten it.

    Args:
        redis: Redis.
        text: The script.
    """

    def __init__(self, redis: GuardedRedis, text: str) -> None:
        self._redis = redis
        self._text = text
        self._digest = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()

    async def __call__(self, keys: Sequence[str], arguments: Sequence[Word]) -> Any:
        """What it returns.

        Raises:
            RedisError, OSError, TimeoutError: As `GuardedRedis.execute`.
        """
        try:
            return await self._redis.execute("EVALSHA", self._digest, len(keys), *keys, *arguments)
        except NoScriptError:
            return await self._redis.execute("EVAL", self._text, len(keys), *keys, *arguments)


@asynccontextmanager
async def open_redis(url: str, *, timeout: float = 0.5) -> AsyncIterator[GuardedRedis]:
    """A client, closed at exit. Connects when it is first used.

    Args:
        url: `redis://[:password@]host:port/0`.
        timeout: Seconds for connecting, and for any answer.
    """
    limits: dict[str, Any] = {"socket_connect_timeout": timeout, "retry": Retry(NoBackoff(), 0)}
    # redis-py's time limit on each write and each read costs a task and a timer; `silence_timeout` holds for both.
    pool = ConnectionPool.from_url(url, socket_timeout=None, **limits)
    redis = GuardedRedis(Redis.from_url(url, **limits), pool, timeout)
    try:
        yield redis
    finally:
        await redis.aclose()
