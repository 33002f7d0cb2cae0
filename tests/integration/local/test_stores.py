"""The stores in the shapes of large systems, as `eco2 up --stores …` runs them. Takes Debian's packages."""

import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import asyncpg
import pytest

from local.files import read_env
from local.stack.background import running
from local.stack.stack import StackPart
from local.stack.stores import postgres
from tests.integration.local.stacks import ROOT, kill
from tests.support.stack_folders import stack_folder
from tests.support.waiting import eventually

pytestmark = [pytest.mark.stack, pytest.mark.slow]


@pytest.fixture(scope="module")
def stores() -> Iterator[Mapping[str, str]]:
    """A pooler and a replica, without services; their addresses and the stack's folder."""
    with (
        stack_folder() as folder,
        running(folder, part=StackPart.STORES, stores=("pgbouncer", "replica")) as variables,
    ):
        yield {**variables, "folder": str(folder)}


async def query(address: str, statement: str) -> object:
    """The one value of a statement, on a connection of its own that prepares nothing."""
    connection = await asyncpg.connect(address, statement_cache_size=0)
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


async def test_what_is_written_through_the_pooler_reaches_the_replica(stores: Mapping[str, str]) -> None:
    """All three speak of one database, and the replica only reads."""
    await query(stores["ECO2_DATABASE_URL"], "create table written as select 42 as number")

    async def arrived() -> bool:
        return await query(stores["ECO2_DATABASE_READ_URL"], "select to_regclass('written')") is not None

    await eventually(arrived)
    assert await query(stores["ECO2_DATABASE_READ_URL"], "select number from written") == 42
    assert await query(stores["ECO2_DATABASE_LISTEN_URL"], "select number from written") == 42
    with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
        await query(stores["ECO2_DATABASE_READ_URL"], "drop table written")


@pytest.mark.parametrize(
    ("name", "variable"), [("pgbouncer", "ECO2_DATABASE_URL"), ("replica", "ECO2_DATABASE_READ_URL")]
)
async def test_what_is_killed_comes_back(stores: Mapping[str, str], name: str, variable: str) -> None:
    """Supervised, as every child; a replica that goes on isn't copied anew."""
    pids = read_env(ROOT / stores["folder"] / "stack.env")["ECO2_PIDS"].split(",")
    kill(int(dict(pair.split("=") for pair in pids)[name]))
    await postgres.until_up(stores[variable])


def test_two_processes_may_unpack_at_once(tmp_path: Path) -> None:
    """As the tests' workers do. Both get the one folder, whole."""
    script = f"""
import pathlib
from local import debian
debian._TOOLS = pathlib.Path({str(tmp_path)!r})
print(debian.unpacked("pgbouncer") / "usr/sbin/pgbouncer")"""
    command = [sys.executable, "-c", script]
    both = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    printed = {process.communicate(timeout=120.0)[0].strip() for process in both}
    assert [process.returncode for process in both] == [0, 0]
    assert [Path(program).is_file() for program in printed] == [True]
    assert {path.name.partition("-")[0] for path in tmp_path.iterdir()} == {"debian"}  # no draft is left
