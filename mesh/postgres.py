"""PostgreSQL: the pool, notifications, SQL loaded by name.

Run as a command it applies migrations: see `mesh.migrations`.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, suppress
from importlib.resources import files
from typing import Any

import asyncpg
import structlog

_log = structlog.get_logger("postgres")

# How long a statement that was cut short may take to end. Its connection is closed then.
_CANCEL_SECONDS = 1.0


@asynccontextmanager
async def open_pool(dsn: str, *, max_size: int = 4, command_timeout: float = 10.0) -> AsyncIterator["Pool"]:
    """A pool that connects when it is first used, so that a service starts before its database does.

    Args:
        dsn: `postgresql://…`.
        max_size: Connections at most. Few are enough: no transaction stays open during a peer's call.
        command_timeout: Seconds any statement may take.
    """
    pool = Pool(
        dsn,
        min_size=0,
        max_size=max_size,
        max_queries=50_000,
        max_inactive_connection_lifetime=300.0,
        loop=None,
        connection_class=asyncpg.Connection,
        record_class=asyncpg.Record,
        command_timeout=command_timeout,
        timeout=5.0,
        reset=_keep_no_session_state,
        server_settings={"application_name": "eco2", "jit": "off"},
    )
    async with pool:
        yield pool


class Pool(asyncpg.Pool):
    """A pool in which a statement takes over the connection of the one before.

    asyncpg takes a connection back with a task, a timer and a proxy, which costs more than a short statement: 66 us for
    one that takes 26. So connections stay at hand after a statement that went well, unless somebody waits for one. All
    but one do, so that there is one for `acquire`.
    """

    def __init__(self, *arguments: Any, max_size: int, **options: Any) -> None:
        super().__init__(*arguments, max_size=max_size, **options)
        self._spare: list[Any] = []
        self._most_spare = max_size - 1
        self._queued = 0

    async def execute(self, query: str, *arguments: Any, timeout: float | None = None) -> Any:
        """As asyncpg's."""
        async with self.at_hand() as connection:
            return await connection.execute(query, *arguments, timeout=timeout)

    async def fetch(self, query: str, *arguments: Any, **options: Any) -> Any:
        """As asyncpg's."""
        async with self.at_hand() as connection:
            return await connection.fetch(query, *arguments, **options)

    async def fetchrow(self, query: str, *arguments: Any, **options: Any) -> Any:
        """As asyncpg's."""
        async with self.at_hand() as connection:
            return await connection.fetchrow(query, *arguments, **options)

    async def fetchval(self, query: str, *arguments: Any, **options: Any) -> Any:
        """As asyncpg's."""
        async with self.at_hand() as connection:
            return await connection.fetchval(query, *arguments, **options)

    def at_hand(self) -> "_AtHand":
        """A connection for a moment, as `acquire` gives one."""
        return _AtHand(self)

    async def take(self) -> Any:
        """A connection, at hand or from asyncpg."""
        while self._spare:
            connection = self._spare.pop()
            if not _is_lost(connection):
                return connection
            await self.release(connection)
        self._queued += 1
        try:
            return await self.acquire()
        finally:
            self._queued -= 1

    async def put_back(self, connection: Any, error: BaseException | None) -> None:
        """Keeps a connection at hand, or gives it to asyncpg, which cleans up after a statement that was cut short.

        Args:
            connection: From `take`.
            error: What ended its use; None if that went well.
        """
        if error is None:
            if self._queued or self.is_closing() or len(self._spare) >= self._most_spare:
                await self.release(connection)
            else:
                self._spare.append(connection)
            return
        if isinstance(error, asyncpg.InternalClientError) and not _is_lost(connection):
            connection.terminate()  # asyncpg doesn't know any more what it is at
        # asyncpg waits for the statement's end for as long as any statement may take; nobody else may have to.
        with suppress(TimeoutError):
            await self.release(connection, timeout=_CANCEL_SECONDS)

    async def close(self) -> None:
        """As asyncpg's, which waits until it has all connections back."""
        while self._spare:
            await self.release(self._spare.pop())
        await super().close()


class _AtHand:
    """Around the use of one connection."""

    __slots__ = ("_connection", "_pool")

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def __aenter__(self) -> Any:
        self._connection = await self._pool.take()
        return self._connection

    async def __aexit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        await self._pool.put_back(self._connection, error)


def _is_lost(connection: Any) -> bool:
    """Whether a connection can't be used any more."""
    try:
        closed: bool = connection.is_closed()
    except asyncpg.InterfaceError:  # the server hung up, and asyncpg took the connection back
        return True
    return closed


async def _keep_no_session_state(_: asyncpg.Connection) -> None:
    """asyncpg's own reset sends statements at every release; we leave nothing in a session to reset."""


async def listen(dsn: str, callbacks: Mapping[str, Callable[[str], object]], *, ping_seconds: float = 10.0) -> None:
    """Calls back with the payload of every NOTIFY on the named channels, for ever.

    On a connection of its own, outside any pool, opened again whenever it is lost. What is notified meanwhile is lost
    too: a notification is only ever a hint to look earlier than the next poll.

    Args:
        dsn: `postgresql://…`.
        callbacks: What to call, by channel.
        ping_seconds: Silence after which the server is asked whether it is still there, and how long it may take to
            answer: the other end of a half-open connection never says anything again.
    """
    while True:
        try:
            await _hear(dsn, callbacks, ping_seconds)
            _log.warning("notifications interrupted: polling meanwhile")
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            _log.warning("notifications interrupted: polling meanwhile", error=repr(error))
        await asyncio.sleep(1.0)


async def _hear(dsn: str, callbacks: Mapping[str, Callable[[str], object]], ping_seconds: float) -> None:
    """Listens until the connection is closed; raises when it doesn't answer."""
    connection = await asyncpg.connect(dsn, timeout=5.0, command_timeout=ping_seconds)
    try:
        closed = asyncio.Event()
        connection.add_termination_listener(lambda _: closed.set())
        for channel, callback in callbacks.items():
            await connection.add_listener(channel, lambda *message, callback=callback: callback(message[3]))
        while not closed.is_set():
            try:
                async with asyncio.timeout(ping_seconds):
                    await closed.wait()
            except TimeoutError:
                await connection.execute("select 1")
    finally:
        # Not closed politely: there may be nobody at the other end.
        connection.terminate()


async def probe(pool: asyncpg.Pool) -> None:
    """Raises while the database doesn't answer."""
    await pool.execute("select 1")


class Queries(Mapping[str, str]):
    """The SQL that lies beside a store, by file name: `queries["claim"]` is `<package>/queries/claim.sql`.

    Args:
        packages: Where to look; of a name that several have, the first one's statement counts.
    """

    def __init__(self, *packages: str) -> None:
        self._sql = {
            file.name.removesuffix(".sql"): file.read_text(encoding="utf-8")
            for package in reversed(packages)
            for file in (files(package) / "queries").iterdir()
            if file.name.endswith(".sql")
        }

    def __getitem__(self, name: str) -> str:
        return self._sql[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._sql)

    def __len__(self) -> int:
        return len(self._sql)


if __name__ == "__main__":
    from mesh.migrations import main  # the operators' command has been called so since the first release

    main()
