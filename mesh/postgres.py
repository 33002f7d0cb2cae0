"""PostgreSQL: the pool, notifications, SQL loaded by name.

Run as a command it applies migrations: see `mesh.migrations`.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from importlib.resources import files
from typing import Any

import asyncpg
import structlog

from mesh.observability import sql_spans
from mesh.observability.sql_spans import named
from mesh.settings import DatabaseSettings

_log = structlog.get_logger("postgres")

# How long a statement that was cut short may take to end. Its connection is closed then.
_CANCEL_SECONDS = 1.0

# So many a connection keeps prepared.
_STATEMENTS = 100


@asynccontextmanager
async def open_pool(
    dsn: str, *, max_size: int = 4, command_timeout: float = 10.0, pooled: bool = False
) -> AsyncIterator["Pool"]:
    """A pool that connects when it is first used, so that a service starts before its database does.

    Args:
        dsn: `postgresql://…`.
        max_size: Connections at most. Few are enough: no transaction stays open during a peer's call.
        command_timeout: Seconds any statement may take.
        pooled: Whether a pooler lends its connections for single transactions. Nothing may stay in a session then: no
            statement is prepared under a name, and nothing is set. Whatever shares such a connection sets `jit` for
            the role, see docs/operations.md.
    """
    pool = Pool(
        dsn,
        min_size=0,
        max_size=max_size,
        max_queries=50_000,
        max_inactive_connection_lifetime=300.0,
        loop=None,
        connection_class=_LentConnection if pooled else asyncpg.Connection,
        record_class=asyncpg.Record,
        command_timeout=command_timeout,
        timeout=5.0,
        reset=_keep_no_session_state,
        init=sql_spans.recording(),
        server_settings={"application_name": "eco2"} | ({} if pooled else {"jit": "off"}),
        statement_cache_size=0 if pooled else _STATEMENTS,
    )
    async with pool:
        yield pool


def open_pool_of(
    settings: DatabaseSettings, *, max_size: int = 4, command_timeout: float = 10.0
) -> AbstractAsyncContextManager["Pool"]:
    """As `open_pool`, for the database of a service."""
    dsn = settings.database_url.get_secret_value()
    return open_pool(dsn, max_size=max_size, command_timeout=command_timeout, pooled=settings.pooled)


class Pool(asyncpg.Pool):
    """asyncpg's pool, with a limit on how long it may take to give a statement up.

    Attributes:
        waiting: How many wait for a connection.
        waited: Told how long somebody has waited who found none free.
    """

    waiting = 0
    waited: Callable[[float], object] = staticmethod(lambda seconds: None)

    async def _acquire(self, timeout: float | None) -> Any:
        """As asyncpg's, which has no other place to see who waits; counted only where somebody has to."""
        acquire = super()._acquire  # type: ignore[misc]
        if not self._queue.empty():  # type: ignore[attr-defined]
            return await acquire(timeout)
        began = time.monotonic()
        self.waiting += 1
        try:
            return await acquire(timeout)
        finally:
            self.waiting -= 1
            self.waited(time.monotonic() - began)

    async def release(self, connection: Any, *, timeout: float | None = None) -> None:
        """As asyncpg's, which waits for the end of a statement that was cut short.

        A frozen database never says that it has ended. asyncpg would wait, and let the caller wait, for as long as any
        statement may take.
        """
        with suppress(TimeoutError):  # the connection was closed
            await super().release(connection, timeout=timeout or _CANCEL_SECONDS)


class _LentConnection(asyncpg.Connection):
    """A pooler's, whose session is the next client's in a moment.

    asyncpg sets `jit` for the session while it asks for types that it doesn't know, and sets it back on whatever
    session it is lent by then.
    """

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._server_caps: Any = self._server_caps._replace(jit=False)


async def _keep_no_session_state(_: asyncpg.Connection) -> None:
    """asyncpg's own reset sends statements at every release; we leave nothing in a session to reset.

    A transaction that was left open is rolled back nevertheless.
    """


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
    connection = await asyncpg.connect(dsn, timeout=5.0, command_timeout=ping_seconds, statement_cache_size=0)
    try:
        if await connection.fetchval("select pg_backend_pid()") != connection.get_server_pid():
            _log.error("no notification comes through a pooler: set ECO2_DATABASE_LISTEN_URL")
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
            file.name.removesuffix(".sql"): named(file.name.removesuffix(".sql"), file.read_text(encoding="utf-8"))
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
