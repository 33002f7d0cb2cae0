"""The guard around Redis: commands that share a round trip, a breaker, and scripts.

Commands given while others are on their way go out together next, on one connection: of ten together each costs a fifth
of one alone.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import asynccontextmanager
from functools import cache
from typing import Any, TypeVar, cast

import structlog
from redis.exceptions import ConnectionError, NoScriptError, RedisError

from mesh.circuit_breakers import CircuitBreaker, CircuitOpen
from mesh.concurrency.tasks import end
from mesh.observability import tracing
from mesh.redis.server import Command, Server, Word
from mesh.redis.subscription import Subscription

_log = structlog.get_logger("redis")

# What a caller of Redis must be ready for.
DOWN = (RedisError, OSError, TimeoutError)

_TOGETHER = 256

T = TypeVar("T")

_Waiting = tuple[Command, "asyncio.Future[Any]"]


@cache
def _attributes(name: str) -> dict[str, str]:
    """What a span tells of a command; there are few."""
    return {"db.system.name": "redis", "db.operation.name": name}


class GuardedRedis:
    """Redis for those who can do without it.

    Args:
        server: Redis itself.

    Attributes:
        sharded: Whether keys lie on several servers: then a command or script touches those of one hash tag alone.
        breaker: Whether Redis is there. It opens for a moment, too, when a replica took over: that may lack the last
            writes, and whoever made some makes them again when the breaker closes.
    """

    def __init__(self, server: Server) -> None:
        self._server = server
        self.sharded = server.sharded
        self.breaker = CircuitBreaker("redis", DOWN, self._probe)
        self._waiting: list[_Waiting] = []
        self._sent: list[_Waiting] = []
        self._sending: asyncio.Task[None] | None = None

    async def execute(self, *command: Word) -> Any:
        """Redis' answer to a command, given word by word.

        Raises:
            RedisError, OSError, TimeoutError: It is away; see `DOWN`.
        """
        self.breaker.demand()
        name = str(command[0])
        with tracing.asking(name, _attributes(name)):
            return await self._answer(command)

    async def get_many(self, keys: Sequence[str]) -> list[bytes | None]:
        """The values of keys, which need not share a hash tag.

        Raises:
            RedisError, OSError, TimeoutError: As `execute`.
        """
        if not self.sharded:
            found: list[bytes | None] = await self.execute("MGET", *keys)
            return found
        return await together(*(self.execute("GET", key) for key in keys))

    @asynccontextmanager
    async def subscribed(self, channels: Sequence[str]) -> AsyncIterator[Subscription]:
        """What is published on channels, from now until the block is left.

        Raises:
            Moving: Not now; it isn't away.
            RedisError, OSError, TimeoutError: Redis is away.
        """
        self.breaker.demand()
        subscription = await self._server.subscription(channels)
        try:
            yield subscription
        finally:
            await subscription.aclose()

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
        await self._server.aclose()

    async def _probe(self) -> None:
        await together(*(self._answer(command) for command in await self._server.probes()))

    def _answer(self, command: Command) -> "asyncio.Future[Any]":
        answered: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting.append((command, answered))
        if self._sending is None:
            self._sending = asyncio.create_task(self._drain(), name="redis")
        return answered

    async def _drain(self) -> None:
        tracing.alone()
        try:
            while self._waiting:
                batch, self._waiting = self._waiting[:_TOGETHER], self._waiting[_TOGETHER:]
                self._sent = batch
                try:
                    replies = await self._server.exchange([command for command, _ in batch])
                except Exception as error:
                    if not isinstance(error, DOWN):
                        # A fault of ours. What is still to come on this connection is nobody's answer any more.
                        _log.exception("conversation broke")
                        await self._server.hang_up()
                        error = CircuitOpen(repr(error))
                    self.breaker.open(error)
                    batch, self._waiting = batch + self._waiting, []
                    replies = [error] * len(batch)
                if self._server.replaced():
                    self.breaker.open(ConnectionError("another server has taken over"))
                for (_, answered), reply in zip(batch, replies, strict=True):
                    self._settle(answered, reply)
        finally:
            self._sending = None

    def _settle(self, answered: "asyncio.Future[Any]", reply: Any) -> None:
        if isinstance(reply, DOWN) and not isinstance(reply, NoScriptError):
            # A replica that takes no writes, memory that is full, one server of a cluster: as good as away.
            self.breaker.open(reply)
        if answered.done():  # who asked has left
            return
        if isinstance(reply, Exception):
            answered.set_exception(reply)
        else:
            answered.set_result(reply)


async def together(*answers: Awaitable[T]) -> list[T]:
    """All answers, once each has come or failed.

    Raises:
        Exception: The first one's that failed.
    """
    found = await asyncio.gather(*answers, return_exceptions=True)
    for one in found:
        if isinstance(one, BaseException):
            raise one
    return cast("list[T]", found)


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
