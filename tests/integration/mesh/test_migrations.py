"""Migrations beside a release that runs."""

import asyncio
from collections.abc import Mapping

import asyncpg
import pytest

from mesh.migrations import main, migrate

WAITS = """
select exists (
    select from pg_locks l join pg_database d on d.oid = l.database
    where d.datname = current_database() and l.relation = 'scan.job'::regclass and not l.granted
)
"""


async def test_a_migration_that_waits_for_a_table_gives_way(database_url: str) -> None:
    """Behind one long transaction the release that still runs would stand still, as everybody queues for the lock."""
    connections = [await asyncpg.connect(database_url) for _ in range(3)]
    busy, running, look = connections
    try:
        await look.execute("delete from scan.migration where name = '0005_spent'; alter table scan.job drop spent")
        async with busy.transaction():
            await busy.execute("select from scan.job")
            migrating = asyncio.create_task(migrate(database_url, "scan_svc"))
            while not await look.fetchval(WAITS):
                pass
            await running.execute("update scan.job set attempt = 0", timeout=5.0)  # waits, too, but not for `busy`
        assert await migrating == ["scan/0005_spent"]
    finally:
        for connection in connections:
            connection.terminate()


def test_the_command_says_why_it_migrated_nothing(stack: Mapping[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A Job's log is read by somebody who never saw asyncpg's modules. What is no address: `test_misconfiguration`."""
    monkeypatch.setenv("ECO2_DATABASE_URL", f"{stack['ECO2_DATABASE_URL']}_that_nobody_made")
    monkeypatch.setattr("sys.argv", ["mesh.postgres", "migrate", "scan_svc"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert str(ended.value.code).startswith("PostgreSQL: ")
