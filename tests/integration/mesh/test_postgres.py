"""Notifications and a pool on connections that may die without a word."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from mesh import outages
from mesh.postgres import Pool, listen, open_pool

PING_SECONDS = 0.4
COMMAND_SECONDS = 10.0  # any statement's, see `open_pool`
END_ALL = """
select pg_terminate_backend(pid) from pg_stat_activity
where pid <> pg_backend_pid() and datname = current_database()
"""


class Wire:
    """A TCP proxy before PostgreSQL. A connection that was cut stays open and says nothing any more."""

    def __init__(self, host: str, port: int) -> None:
        self._server = host, port
        self._open: list[asyncio.Event] = []
        self.port = 0
        self.connections = 0
        self._carried = asyncio.Semaphore(0)
        self._answered = asyncio.Semaphore(0)
        self.closes = True  # once the server does

    async def serve(self) -> asyncio.Server:
        server = await asyncio.start_server(self._connect, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        return server

    def cut(self) -> None:
        """Nothing that is sent on the connections open now arrives at the other end."""
        for silent in self._open:
            silent.set()

    def carried(self, count: int) -> contextlib.AbstractAsyncContextManager[None]:
        """Waits at the block's end until so much was sent to the server since its begin, in pieces."""
        return self._more(self._carried, count)

    def answered(self, count: int) -> contextlib.AbstractAsyncContextManager[None]:
        """Waits at the block's end until so much was sent by the server since its begin, in pieces."""
        return self._more(self._answered, count)

    @contextlib.asynccontextmanager
    async def _more(self, pieces: asyncio.Semaphore, count: int) -> AsyncIterator[None]:
        while not pieces.locked():
            await pieces.acquire()
        yield
        for _ in range(count):
            await pieces.acquire()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        silent = asyncio.Event()
        self._open.append(silent)
        there, back = await asyncio.open_connection(*self._server)
        try:
            await asyncio.gather(
                self._carry(reader, back, silent, self._carried), self._carry(there, writer, silent, self._answered)
            )
        except OSError:
            pass
        finally:
            writer.close()

    async def _carry(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        silent: asyncio.Event,
        pieces: asyncio.Semaphore,
    ) -> None:
        while data := await reader.read(1 << 16):
            if not silent.is_set():
                writer.write(data)
            pieces.release()
        if self.closes:
            writer.close()


@pytest.fixture
async def wire(database_url: str) -> AsyncIterator[Wire]:
    """A wire to the test's database."""
    address = urlsplit(database_url)
    wire = Wire(address.hostname or "", address.port or 0)
    async with await wire.serve():
        yield wire


async def test_a_half_open_connection_is_noticed_and_replaced(database_url: str, wire: Wire) -> None:
    """A firewall has forgotten the connection, or the host is gone: no packet ever says so."""
    heard: asyncio.Queue[str] = asyncio.Queue()
    listening = asyncio.create_task(
        listen(through(database_url, wire), {"news": heard.put_nowait}, ping_seconds=PING_SECONDS)
    )
    notifier = await asyncpg.connect(database_url)
    try:
        assert await told(notifier, heard, "before") == "before"
        wire.cut()
        assert await told(notifier, heard, "after") == "after"
    finally:
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
        await notifier.close()


async def test_a_quiet_connection_is_kept(database_url: str, wire: Wire) -> None:
    """Pings answer themselves: silence alone is no reason to start anew."""
    heard: asyncio.Queue[str] = asyncio.Queue()
    listening = asyncio.create_task(
        listen(through(database_url, wire), {"news": heard.put_nowait}, ping_seconds=PING_SECONDS)
    )
    notifier = await asyncpg.connect(database_url)
    try:
        assert await told(notifier, heard, "before") == "before"
        async with wire.carried(3):
            pass  # it pings by itself
        assert await told(notifier, heard, "after") == "after"
        assert wire.connections == 1
    finally:
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
        await notifier.close()


@contextlib.asynccontextmanager
async def connected(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection to the test's database."""
    connection = await asyncpg.connect(database_url)
    try:
        yield connection
    finally:
        await connection.close()


async def told(notifier: asyncpg.Connection, heard: "asyncio.Queue[str]", news: str) -> str:
    """Notifies until it is heard: what was sent to nobody is lost."""
    async with asyncio.timeout(20):
        while True:
            await notifier.execute("select pg_notify('news', $1)", news)
            with contextlib.suppress(TimeoutError):
                return await asyncio.wait_for(heard.get(), 0.1)


def through(database_url: str, wire: Wire) -> str:
    """The database's address by way of the wire."""
    address = urlsplit(database_url)
    return urlunsplit(address._replace(netloc=address.netloc.replace(f":{address.port}", f":{wire.port}")))


async def test_statements_share_few_connections_and_leave_room_to_acquire_one(database_url: str) -> None:
    """Statements must not keep a transaction from beginning, nor the pool from closing."""
    async with open_pool(database_url, max_size=3) as pool:
        async with asyncio.timeout(10):
            numbers = await asyncio.gather(*(pool.fetchval("select $1::integer", number) for number in range(50)))
            async with pool.acquire() as connection, connection.transaction():
                assert await pool.fetchval("select 1") == await connection.fetchval("select 1")
        held = await pool.fetchval("select count(*) from pg_stat_activity where datname = current_database()")
    assert (numbers, held <= 3) == ([*range(50)], True)


async def test_a_connection_is_clean_after_a_statement_that_was_given_up(database_url: str) -> None:
    """Neither its answer nor its end may reach whoever comes next."""
    async with open_pool(database_url, max_size=2) as pool:
        await pool.fetchval("select 1")
        for _ in range(5):
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(pool.fetchval("select 'late' from pg_sleep(10)"), 0.05)
            with pytest.raises(asyncpg.DivisionByZeroError):
                await pool.execute("select 1 / 0")
            assert await pool.fetchval("select 2") == 2


async def test_connections_that_were_lost_while_idle_cost_nobody_an_error(database_url: str) -> None:
    """PostgreSQL was restarted between two statements."""
    lost = asyncio.Semaphore(0)
    together = asyncio.Barrier(3)

    async def leave_one_idle(pool: Pool) -> None:
        async with pool.acquire() as connection:
            connection.add_termination_listener(lambda _: lost.release())
            await connection.execute("select 1")
            await together.wait()

    async with open_pool(database_url, max_size=4) as pool:
        await asyncio.gather(*(leave_one_idle(pool) for _ in range(3)))
        async with connected(database_url) as killer:
            await killer.execute(END_ALL)
        for _ in range(3):
            await lost.acquire()
        assert [await pool.fetchval("select $1::integer", number) for number in range(5)] == [*range(5)]


async def test_a_connection_that_was_told_its_end_is_an_outage_and_not_used_again(
    database_url: str, wire: Wire
) -> None:
    """The server said that it shuts down, but its hanging up never arrived: asyncpg doesn't know what it is at."""
    async with connected(database_url) as killer, open_pool(through(database_url, wire), max_size=2) as pool:
        await pool.fetchval("select 1")
        wire.closes = False
        async with wire.answered(1):  # the farewell may come before the killer hears that it has killed
            await killer.execute(END_ALL)
        await killer.execute("select 1")  # long enough for what was sent to be read
        with pytest.raises(asyncpg.InternalClientError) as raised:
            await pool.fetchval("select 2")
        assert outages.from_exception(raised.value) is not None
        wire.closes = True
        assert [await pool.fetchval("select $1::integer", number) for number in range(3)] == [*range(3)]


async def test_a_transaction_that_was_left_open_is_nobody_elses(
    database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    """It is rolled back, and said aloud: whoever comes next begins anew."""
    async with open_pool(database_url, max_size=2) as pool:
        async with pool.acquire() as connection:
            await connection.execute("begin; create table left_over ()")
        assert await pool.fetchval("select to_regclass('left_over')") is None
    assert "active transaction" in caplog.text


async def test_who_stops_waiting_for_a_connection_takes_none_along(database_url: str) -> None:
    """Whether it was to be opened, to be awaited or just given."""
    async with open_pool(database_url, max_size=2) as pool:
        for steps in range(40):
            asked = [asyncio.create_task(pool.fetchval("select 1")) for _ in range(5)]
            for _ in range(steps):
                await asyncio.sleep(0)
            for task in asked[::2]:
                task.cancel()
            async with asyncio.timeout(10):
                answers = await asyncio.gather(*asked, return_exceptions=True)
            assert answers[1::2] == [1, 1]
        async with asyncio.timeout(10), pool.acquire() as one, pool.acquire() as other:
            assert await one.fetchval("select 2") == await other.fetchval("select 2")


async def test_a_database_that_takes_no_more_connections_is_an_outage_that_ends(database_url: str) -> None:
    """The pool asks anew, and goes on as soon as there is room."""
    address = urlsplit(database_url)
    database = address.path.removeprefix("/")
    async with connected(database_url) as admin:
        await admin.execute(
            f"create role {database} login password 'plain'; alter database {database} connection limit 0"
        )
        try:
            host = f"{database}:plain@{address.hostname}:{address.port}"
            async with open_pool(urlunsplit(address._replace(netloc=host)), max_size=2) as pool:
                for _ in range(3):
                    with pytest.raises(asyncpg.TooManyConnectionsError) as raised:
                        await pool.fetchval("select 1")
                    assert outages.from_exception(raised.value) is not None
                await admin.execute(f"alter database {database} connection limit -1")
                assert await pool.fetchval("select 2") == 2
        finally:
            await admin.execute(f"drop role {database}")


async def test_giving_up_a_silent_database_takes_no_longer_than_was_said(database_url: str, wire: Wire) -> None:
    """asyncpg waits until the statement has ended, which a frozen database never says; the pool goes on without it."""
    async with open_pool(through(database_url, wire), max_size=2) as pool:
        await pool.fetchval("select 1")
        wire.cut()
        began = time.monotonic()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await pool.fetchval("select 2")
        assert time.monotonic() - began < COMMAND_SECONDS / 2
        assert await pool.fetchval("select 3") == 3
