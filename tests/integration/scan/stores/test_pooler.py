"""Scan, with PgBouncer in transaction mode before everything but LISTEN."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from structlog.testing import capture_logs

from eco2.scan.v1.scan_service_pb2 import CreateScanRequest
from mesh.postgres import listen
from tests.integration.scan.client import Client, StartScanService, create
from tests.integration.scan.stores.conftest import OwnStores
from tests.support.waiting import eventually

pytestmark = [pytest.mark.stack, pytest.mark.slow]

PHOTO = "https://example.com/1.jpg"
SCANS = 60
SERVING = health_pb2.HealthCheckResponse.SERVING
# Of settings all but what PgBouncer itself keeps as each client has it.
LEFT_BEHIND = """
select name from pg_settings where source = 'session' and name not in ('application_name', 'client_encoding')
union all select name from pg_prepared_statements
union all select pg_listening_channels()
union all select 'advisory lock' from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()
union all select relname from pg_class where relpersistence = 't' and relnamespace = pg_my_temp_schema()
"""


@pytest.fixture
async def client(start_scan_service: StartScanService) -> AsyncIterator[Client]:
    """A user of one of two processes, whose pools are larger together than the pooler's."""
    async with start_scan_service() as first, start_scan_service():
        yield first


async def submitted(client: Client, request_id: str) -> str:
    """A new scan, by a client that comes again with the same request while it is told that a store is away."""
    while True:
        try:
            request = CreateScanRequest(image_url=PHOTO, request_id=request_id)
            return (await client.stub.CreateScan(request, metadata=client.metadata)).scan.scan_id
        except grpc.aio.AioRpcError as error:
            if error.code() is not grpc.StatusCode.UNAVAILABLE:
                raise


async def finished(client: Client, scan_id: str) -> None:
    """Watches a scan to its end, again whenever it is cut off."""
    while True:
        try:
            await client.finished(scan_id)
            return
        except (grpc.aio.AioRpcError, AssertionError):
            continue


async def test_nothing_stays_in_a_session_that_the_next_client_would_find(
    own_stores: OwnStores, client: Client
) -> None:
    """No setting, no prepared statement, no temporary table, no lock: of each of the pooler's connections."""
    scans = [await create(client, PHOTO) for _ in range(20)]
    await asyncio.gather(*map(client.finished, scans))
    borrowers = [await asyncpg.connect(own_stores.pooler, statement_cache_size=0) for _ in range(12)]
    transactions = [borrower.transaction() for borrower in borrowers]
    try:
        for transaction in transactions:
            await transaction.start()  # each keeps its connection of the server to itself
        pids = {await borrower.fetchval("select pg_backend_pid()") for borrower in borrowers}
        found = [[row[0] for row in await borrower.fetch(LEFT_BEHIND)] for borrower in borrowers]
    finally:
        for transaction in transactions:
            await transaction.rollback()
        for borrower in borrowers:
            await borrower.close()
    assert len(pids) == 12
    assert found == [[]] * 12


async def test_a_pooler_that_is_killed_under_load_costs_no_scan(own_stores: OwnStores, client: Client) -> None:
    """Its end is an outage like PostgreSQL's: who creates comes again, who works stores its results later."""
    taken = asyncio.Semaphore(0)

    async def one(number: int) -> str:
        scan_id = await submitted(client, f"killed-{number}")
        taken.release()
        await finished(client, scan_id)
        return scan_id

    async with asyncio.timeout(120), asyncio.TaskGroup() as group:
        scans = [group.create_task(one(number)) for number in range(SCANS // 2)]
        for _ in range(SCANS // 3):
            await taken.acquire()
        own_stores.kill("pgbouncer")
        scans += [group.create_task(one(number)) for number in range(SCANS // 2, SCANS)]
    connection = await asyncpg.connect(own_stores.primary)
    query = (
        "select count(*) filter (where state = 'SUCCEEDED'), count(*) from scan.scan where request_id like 'killed-%'"
    )
    assert tuple(await connection.fetchrow(query)) == (SCANS, SCANS)
    assert len({scan.result() for scan in scans}) == SCANS
    await connection.close()


async def test_health_tells_of_a_pooler_that_is_away(own_stores: OwnStores, client: Client) -> None:
    """By the same probe as of the database: an edge sends calls to other replicas, if they fare better."""
    async with grpc.aio.insecure_channel(client.target) as channel:
        health: Any = health_pb2_grpc.HealthStub(channel)  # its type stubs leave Check out

        async def serving() -> bool:
            answer = await health.Check(health_pb2.HealthCheckRequest())
            return bool(answer.status == SERVING)

        async def away() -> bool:
            return not await serving()

        await eventually(serving)
        with own_stores.frozen("pgbouncer"):
            await eventually(away)
        await eventually(serving)


async def test_who_would_listen_through_a_pooler_is_told(own_stores: OwnStores) -> None:
    """Otherwise scans would wait for polls, and nobody would know why."""
    with capture_logs() as logged:
        listening = asyncio.create_task(listen(own_stores.pooler, {"scan_ready": lambda _: None}))

        async def told() -> bool:
            return any("ECO2_DATABASE_LISTEN_URL" in line["event"] for line in logged)

        await eventually(told)
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
