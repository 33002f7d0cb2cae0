"""Applies a service's migrations: `python -m mesh.postgres migrate scan_svc rules_svc character_svc`."""

import asyncio
import os
import sys
from collections.abc import Mapping
from importlib.resources import files
from importlib.util import find_spec

import asyncpg
import stamina

from mesh.settings import end_misused

# Any number of our own: whoever holds it is the one who migrates.
_MIGRATION_LOCK = 0x65636F32
# How long a migration may wait for a table, and keep others from it.
_LOCK_MS = 500

# What asyncpg says of one may hold a piece of the password.
NOT_AN_ADDRESS = "ECO2_DATABASE_URL isn't an address such as postgresql://user:password@host:5432/name"


async def migrate(dsn: str, *packages: str) -> list[str]:
    """Applies what isn't applied yet, each file in a transaction of its own, under one lock.

    Args:
        dsn: The database.
        packages: Services, such as "scan_svc"; each owns the schema of its name ("scan").

    Returns:
        What was applied, as "schema/0001_name".
    """
    connection = await _connect(dsn)
    try:
        # A lock of the session: two releases that start at once migrate one after the other.
        await connection.execute("select pg_advisory_lock($1)", _MIGRATION_LOCK)
        return [done for package in packages for done in await _migrate_service(connection, package)]
    finally:
        await connection.close()


async def _connect(dsn: str) -> asyncpg.Connection:
    # Not as a decorator: that logs the arguments of what it tries again, and this one has a password in it.
    waited_out = (OSError, asyncpg.PostgresConnectionError, asyncpg.CannotConnectNowError)
    async for attempt in stamina.retry_context(on=waited_out, timeout=60.0):
        with attempt:
            return await asyncpg.connect(dsn, timeout=5.0)
    raise AssertionError("unreachable")


@stamina.retry(on=asyncpg.LockNotAvailableError, timeout=60.0, attempts=None)
async def _apply(connection: asyncpg.Connection, schema: str, name: str, statements: str) -> None:
    """Applies one file, or nothing of it.

    Whoever waits for a table's lock makes everybody wait who comes after: the release that still runs would stand still
    behind one long transaction. So it waits briefly, gives way, and tries again.
    """
    async with connection.transaction():
        await connection.execute(f"set local lock_timeout = {_LOCK_MS}")
        await connection.execute(statements)
        await connection.execute(f'insert into "{schema}".migration (name) values ($1)', name)


async def _migrate_service(connection: asyncpg.Connection, package: str) -> list[str]:
    schema = package.removesuffix("_svc")
    await connection.execute(f'create schema if not exists "{schema}"')
    await connection.execute(
        f'create table if not exists "{schema}".migration'
        " (name text primary key, applied_at timestamptz not null default now())"
    )
    applied = {row["name"] for row in await connection.fetch(f'select name from "{schema}".migration')}
    done = []
    for file in sorted((files(package) / "migrations").iterdir(), key=lambda file: file.name):
        name = file.name.removesuffix(".sql")
        if name == file.name or name in applied:
            continue
        await _apply(connection, schema, name, file.read_text(encoding="utf-8"))
        done.append(f"{schema}/{name}")
    return done


def _has_migrations(package: str) -> bool:
    return package.isidentifier() and find_spec(package) is not None and (files(package) / "migrations").is_dir()


def direct_address(environment: Mapping[str, str]) -> str:
    """PostgreSQL itself, past a pooler, for commands that lock by their session or take long; empty if none is set."""
    return environment.get("ECO2_DATABASE_LISTEN_URL") or environment.get("ECO2_DATABASE_URL") or ""


def main() -> None:
    """`python -m mesh.postgres migrate SERVICE…`, on ECO2_DATABASE_LISTEN_URL, or else ECO2_DATABASE_URL."""
    match sys.argv[1:]:
        case ["migrate", *packages] if packages:
            if unknown := [name for name in packages if not _has_migrations(name)]:
                end_misused(f"no service has migrations: {' '.join(unknown)}", str(main.__doc__))
            if not (dsn := direct_address(os.environ)):
                end_misused("ECO2_DATABASE_URL is not set")
            try:
                done = asyncio.run(migrate(dsn, *packages))
            except ValueError:  # asyncpg raises it for an invalid address
                end_misused(NOT_AN_ADDRESS)
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                raise SystemExit(f"PostgreSQL: {str(error) or type(error).__name__}") from None
            for name in done:
                print("applied", name)
        case _:
            end_misused(str(main.__doc__))
