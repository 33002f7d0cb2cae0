"""What is kept, for how long, and how quickly a long retention is read; on a real PostgreSQL."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import asyncpg
import pytest

from mesh.postgres import Queries, open_pool
from scan_svc.jobs.retention import Retention
from scan_svc.store import ScanStore
from tests.integration.scan.client import StartScanService
from tests.integration.scan.job_tables import Jobs
from tests.support.waiting import eventually

OLD, YOUNG = 366, 364
TABLES = ("scan", "job", "stage_result", "webhook", "webhook_attempt")


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[asyncpg.Pool]:
    """Connections to a fresh database."""
    async with open_pool(database_url) as pool:
        yield pool


@pytest.fixture
def jobs(pool: asyncpg.Pool) -> Jobs:
    """The tables."""
    return Jobs(pool)


@pytest.fixture
def retention(pool: asyncpg.Pool) -> Retention:
    """Keeps a year, and forgets in batches of three."""
    return Retention(pool, 365, batch=3)


async def ids(pool: asyncpg.Pool) -> set[str]:
    """The scans there are."""
    return {str(row["id"]) for row in await pool.fetch("select id from scan.scan")}


async def blocked(pool: asyncpg.Pool) -> None:
    """Returns once somebody waits for another one's lock."""
    while await pool.fetchval("select not exists (select from pg_locks where not granted)"):
        pass


async def test_old_scans_are_forgotten_in_batches_and_young_ones_kept(
    pool: asyncpg.Pool, jobs: Jobs, retention: Retention
) -> None:
    """Many small transactions: nobody waits behind a large one."""
    for state in ("SUCCEEDED", "FAILED", "CANCELLED", "EXPIRED") * 2:
        await jobs.scan(state, days=OLD)
    kept = {await jobs.scan(days=YOUNG), await jobs.scan()}
    await retention.forget_old()
    assert await ids(pool) == kept


async def test_the_service_keeps_scans_for_as_long_as_it_is_set_to(
    pool: asyncpg.Pool, jobs: Jobs, start_scan_service: StartScanService
) -> None:
    """It forgets by itself, beside its work."""
    await jobs.scan(days=31)
    young = await jobs.scan(days=29)

    async def forgotten() -> bool:
        return await ids(pool) == {young}

    async with start_scan_service(retention_days=30):
        await eventually(forgotten)


async def test_what_isnt_finished_is_never_too_old(pool: asyncpg.Pool, jobs: Jobs, retention: Retention) -> None:
    """Were it only for a clock that was wrong: a scan that was accepted is finished or explained."""
    kept = {await jobs.add("READY", days=OLD), await jobs.add("LEASED", worker_id=1, days=OLD)}
    await retention.forget_old()
    assert (await ids(pool), await jobs.refs("true")) == (kept, kept)


async def test_a_forgotten_scan_leaves_nothing(pool: asyncpg.Pool, jobs: Jobs, retention: Retention) -> None:
    """Its dead letter, its results and its webhooks belong to it."""
    for state in ("DEAD", "ARCHIVED"):
        scan_id = await jobs.add(state, days=OLD)
        await jobs.result(scan_id, "vision")
        await jobs.webhook(scan_id, state)
    await retention.forget_old()
    assert [await pool.fetchval(f"select count(*) from scan.{table}") for table in TABLES] == [0] * len(TABLES)


async def test_endpoints_that_no_scan_has_are_forgotten(pool: asyncpg.Pool, jobs: Jobs, retention: Retention) -> None:
    """A secret is kept for as long as it may sign something; a creation that is under way has an hour."""
    scan = await jobs.scan(days=OLD)
    await pool.execute("update scan.scan set callback_url = 'https://used.example.com' where id = $1", scan)
    owner = await pool.fetchval("select user_id from scan.scan where id = $1", scan)
    urls = ["https://used.example.com", "https://new.example.com", *(f"https://{n}.example.com" for n in range(7))]
    await pool.execute(
        "insert into scan.webhook_endpoint (user_id, url, secret, created_at)"
        " select $1, url, '', now() - case when url like '%new%' then 0 else 2 end * interval '1 hour'"
        " from unnest($2::text[]) as url",
        owner, urls,
    )  # fmt: skip
    await pool.execute("update scan.scan set finished_at = now()")
    await retention.forget_old()
    assert {row["url"] for row in await pool.fetch("select url from scan.webhook_endpoint")} == set(urls[:2])
    await pool.execute("update scan.scan set finished_at = now() - interval '400 days'")
    await retention.forget_old()
    assert [row["url"] for row in await pool.fetch("select url from scan.webhook_endpoint")] == urls[1:2]


async def test_a_replay_at_the_last_moment_saves_the_scan(pool: asyncpg.Pool, jobs: Jobs, retention: Retention) -> None:
    """Deleting what an operator has just brought back would lose it at work."""
    scan_id = await jobs.add(days=OLD)
    await jobs.result(scan_id, "vision")
    async with pool.acquire() as operator, operator.transaction():
        await operator.execute(Queries("scan_svc.jobs")["dead_replay"], [scan_id])
        forgetting = asyncio.create_task(retention.forget_old())
        await blocked(pool)
    await forgetting
    assert (await ids(pool), (await jobs.of(scan_id))["state"]) == ({scan_id}, "READY")
    assert await pool.fetchval("select count(*) from scan.stage_result") == 1


async def test_a_deleted_scan_leaves_what_it_cost(pool: asyncpg.Pool, jobs: Jobs) -> None:
    """Who deletes a scan has still used a model."""
    scan_id = await jobs.add("READY")
    await jobs.result(scan_id, "vision")
    await ScanStore(pool).delete(scan_id)
    (tombstone,) = await pool.fetch("select * from scan.tombstone")
    assert (str(tombstone["scan_id"]), tombstone["user_id"]) == (scan_id, "user")
    assert [run["stage"] for run in json.loads(tombstone["usage"])] == ["vision"]
    assert await pool.fetchval("select count(*) from scan.stage_result") == 0


@pytest.mark.parametrize(("end", "runs"), [("delete", "usage"), ("cancel", "stages")])
async def test_a_stage_that_is_done_at_that_very_moment_is_accounted(
    pool: asyncpg.Pool, jobs: Jobs, end: str, runs: str
) -> None:
    """Its checkpoint holds the job; whoever waits for it must see what it wrote."""
    scan_id = await jobs.add("LEASED", worker_id=1)
    async with pool.acquire() as worker, worker.transaction():
        at_work = Jobs(worker)
        await worker.execute("update scan.job set stage = 'reward' where ref = $1", scan_id)
        await at_work.result(scan_id, "answer")
        ending = asyncio.create_task(getattr(ScanStore(pool), end)(scan_id))
        await blocked(pool)
    assert await ending
    kept = await pool.fetchval(f"select {runs} from scan.{'tombstone' if end == 'delete' else 'scan'}")
    assert [run["stage"] for run in json.loads(kept)] == ["answer"]
    assert await pool.fetchval("select count(*) from scan.stage_result") == 0


async def test_tombstones_are_kept_as_long_as_their_scans_would_be(
    pool: asyncpg.Pool, jobs: Jobs, retention: Retention
) -> None:
    """They name a user: longer than needed is too long."""
    deleted = [await jobs.scan(days=days) for days in (OLD, OLD, OLD, OLD, YOUNG)]
    for scan_id in deleted:
        await ScanStore(pool).delete(scan_id)
    await retention.forget_old()
    assert [str(row["scan_id"]) for row in await pool.fetch("select scan_id from scan.tombstone")] == deleted[4:]


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A plan's nodes, top down."""
    yield plan
    for child in plan.get("Plans", ()):
        yield from nodes(child)


@pytest.mark.parametrize("mode", ["force_custom_plan", "force_generic_plan"])
@pytest.mark.parametrize("page", ["first", "middle"])
async def test_a_page_of_history_reads_its_own_rows_by_the_index(pool: asyncpg.Pool, mode: str, page: str) -> None:
    """At a million rows anything else is seconds. A prepared statement may be planned without its values, so both."""
    await pool.execute("""
        insert into scan.scan (id, user_id, payload_hash, state, version, image_url, object_key, content_type,
                               size_bytes, sha256, user_input, region, locale, step, finished_at)
        select uuidv7(make_interval(secs => -n)), 'user ' || n % 100, '', 'SUCCEEDED', 1, '', '', '', 0, '', '', '',
               'ko', 'done', now()
        from generate_series(1, 10000) n
    """)
    await pool.execute("analyze scan.scan")
    before = await pool.fetchval("select id from scan.scan where user_id = 'user 1' order by id offset 50 limit 1")
    after = f"'{before}'" if page == "middle" else "null"
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(f"set local plan_cache_mode = {mode}")
        await connection.execute(f"prepare page (text, uuid, integer) as {Queries('scan_svc')['list_scans']}")
        explained = await connection.fetchval(f"explain (analyze, format json) execute page ('user 1', {after}, 21)")
    (retention,) = [n for n in nodes(json.loads(explained)[0]["Plan"]) if n.get("Relation Name") == "scan"]
    assert (retention["Node Type"], retention["Index Name"]) == ("Index Scan", "scan_shown")
    assert retention["Actual Rows"] == 21
    assert retention.get("Rows Removed by Filter", 0) == 0
