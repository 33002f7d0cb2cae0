"""The logs that only grow, by month: made ahead, dropped whole, and what was there before stays."""

import json
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest
from structlog.testing import capture_logs

from mesh.migrations import migrate
from mesh.postgres import Queries, open_pool
from scan_svc.jobs.retention import Retention
from tests.integration.scan.job_tables import Jobs

LOGS = ("failed_attempt", "webhook_attempt")
MONTHS = """
select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid
where i.inhparent = format('scan.%I', $1::text)::regclass order by 1
"""
TRIED = "insert into scan.failed_attempt (scan_id, stage, attempt, ended_at) values ($1, 'vision', 1, $2)"
DELIVERED = "insert into scan.webhook_attempt (webhook_id, attempt, error, duration_ms) values ($1, 1, '', 7)"
BEFORE = """
drop function scan.make_months; drop function scan.drop_months; drop function scan.month_begins;
drop table scan.failed_attempt; drop table scan.webhook_attempt;
delete from scan.migration where name = '0022_logs_by_month';
create table scan.failed_attempt (
    scan_id uuid not null, stage text not null, attempt smallint not null, worker_id bigint,
    ended_at timestamptz not null default clock_timestamp(), duration_ms integer, error jsonb
);
create index failed_attempt_scan on scan.failed_attempt (scan_id, ended_at);
create table scan.webhook_attempt (
    webhook_id uuid not null references scan.webhook (id) on delete cascade, attempt smallint not null,
    at timestamptz not null default clock_timestamp(), status integer, error text not null,
    duration_ms integer not null,
    primary key (webhook_id, attempt, at)
);
"""


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[asyncpg.Pool]:
    """Connections to a fresh database."""
    async with open_pool(database_url) as pool:
        yield pool


async def months(pool: asyncpg.Pool, log: str) -> list[str]:
    """The parts of a log."""
    return [row["relname"] for row in await pool.fetch(MONTHS, log)]


async def begins(pool: asyncpg.Pool, after: int) -> Any:
    """The beginning of a month, so many after this one."""
    return await pool.fetchval("select scan.month_begins($1)", after)


async def test_what_was_there_stays_where_it_lies(pool: asyncpg.Pool, database_url: str) -> None:
    """The table is attached, not copied; with the scan and the webhook its rows go as before."""
    await pool.execute(BEFORE)
    jobs = Jobs(pool)
    webhook = await pool.fetchval("select gen_random_uuid()")
    scan_id = await jobs.scan()
    await pool.execute("insert into scan.webhook (id, scan_id, event) values ($1, $2, 'scan.failed')", webhook, scan_id)
    await pool.execute(DELIVERED, webhook)
    await pool.execute(TRIED, scan_id, datetime.now(UTC))
    files = [await pool.fetchval(f"select pg_relation_filenode('scan.{log}')") for log in LOGS]

    assert await migrate(database_url, "scan_svc") == ["scan/0022_logs_by_month"]

    assert [await pool.fetchval(f"select pg_relation_filenode('scan.{log}_before')") for log in LOGS] == files
    assert [await pool.fetchval(f"select count(*) from scan.{log}") for log in LOGS] == [1, 1]
    await pool.execute("delete from scan.scan where id = $1", scan_id)
    assert [await pool.fetchval(f"select count(*) from scan.{log}") for log in LOGS] == [0, 0]


@pytest.mark.parametrize("log", LOGS)
async def test_three_months_are_made_ahead(pool: asyncpg.Pool, log: str) -> None:
    """And once only, however often the housekeeping runs."""
    made = await months(pool, log)
    assert len(made) == 4
    await Retention(pool, 365).forget_old()
    assert await months(pool, log) == made
    await pool.execute(f"drop table scan.{made[2]}")
    await Retention(pool, 365).forget_old()
    assert await months(pool, log) == made


async def test_a_month_wholly_past_the_retention_is_dropped(pool: asyncpg.Pool) -> None:
    """What is younger stays. The days are counted from the month's end, so here to one that is to come."""
    kept = await pool.fetchval("select uuidv7()")
    await pool.execute(TRIED, kept, await begins(pool, 0))
    await pool.execute(TRIED, kept, await begins(pool, 2))
    assert await pool.fetch(Queries("scan_svc.jobs")["drop_months"], 0) == []
    days = await pool.fetchval("select extract(day from scan.month_begins(1) - now())::int + 2")
    dropped = {row[0] for row in await pool.fetch(Queries("scan_svc.jobs")["drop_months"], -days)}
    assert dropped == {f"{log}_before" for log in LOGS}
    assert [row["ended_at"] for row in await pool.fetch("select ended_at from scan.failed_attempt")] == [
        await begins(pool, 2)
    ]


async def test_a_month_that_is_being_read_is_dropped_another_time(pool: asyncpg.Pool) -> None:
    """The housekeeping gives way, and goes on with the rest; nobody queues behind it."""
    old = await Jobs(pool).scan(days=366)
    async with pool.acquire() as reader, reader.transaction():
        await reader.fetch("select from scan.failed_attempt")
        with capture_logs() as logged:
            await Retention(pool, -200).forget_old()
    assert [line["event"] for line in logged if "months" in line["event"]] == [
        "months of logs not dropped yet: they are being read"
    ]
    assert len(await months(pool, "failed_attempt")) == 4
    assert await pool.fetchval("select count(*) from scan.scan where id = $1", old) == 0


async def test_a_timeline_reads_no_month_before_its_scan(pool: asyncpg.Pool) -> None:
    """However many there are."""
    scan_id = await Jobs(pool).scan()
    await pool.execute("update scan.scan set created_at = scan.month_begins(2) where id = $1", scan_id)
    query = Queries("scan_svc.operations")["scan_timeline"].replace("$1", f"'{scan_id}'")
    explained = json.loads(await pool.fetchval(f"explain (analyze, format json) {query}"))
    read = sorted(name for name, loops in _parts(explained[0]["Plan"]) if loops)
    assert read == (await months(pool, "failed_attempt"))[1:3]


def _parts(node: dict[str, Any]) -> Iterator[tuple[str, int]]:
    """The parts of a log that a plan names, and how often each was read."""
    if str(node.get("Relation Name", "")).startswith("failed_attempt"):
        yield node["Relation Name"], node["Actual Loops"]
    for child in node.get("Plans", []):
        yield from _parts(child)
