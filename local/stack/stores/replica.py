"""A standby of PostgreSQL that follows it by streaming, for reads that may be late."""

import os
import shutil
from pathlib import Path

from local.files import write_private
from local.stack.ports import HOST
from local.stack.stores import postgres
from local.stack.supervisor import Program, finish


def program(folder: Path, port: int, database_port: int, password: str) -> Program:
    """The standby on loopback.

    It is copied from its primary whenever the stack starts, which may have run without it in between; when it is
    started again after a crash, it goes on from where it was.

    Args:
        folder: Its data folder.
        port: Where it listens.
        database_port: Where the primary does.
        password: Of the database's owner, as whom it follows.
    """
    identity = postgres.identity()
    passwords = folder.with_name(f"{folder.name}.pgpass")  # not among the arguments, which all users see
    source = f"host={HOST} port={database_port} user={postgres.USER} passfile={passwords}"
    copied = False

    async def prepare() -> None:
        nonlocal copied
        await postgres.await_orphan(folder)
        if not copied:
            await postgres.until_up(postgres.dsn(database_port, password))
            write_private(passwords, f"*:*:*:*:{password}\n")
            postgres.own(passwords, identity)
            await _copy(folder, source, identity)
            copied = True

    async def ready() -> None:
        await postgres.probe(postgres.dsn(port, password))

    # Without feedback, rows that are cleaned up on the primary end the standby's queries that may still see them.
    settings = {"primary_conninfo": source, "hot_standby_feedback": "on"}
    return postgres.server("replica", folder, port, settings, prepare=prepare, ready=ready)


async def _copy(folder: Path, source: str, identity: str) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    postgres.private_folder(folder, identity)
    options = ("--checkpoint=fast", "--wal-method=stream", "--no-sync", "--dbname", source)
    await finish((str(postgres.binary("pg_basebackup")), "-D", str(folder), *options), os.environ, identity=identity)
    (folder / "standby.signal").touch()
    postgres.own(folder, identity)
