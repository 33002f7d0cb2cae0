"""A database that takes no writes is away, not broken: what is in hand and paid for is kept until it is stored."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import asyncpg
import grpc
import pytest

from mesh.errors import Unavailable
from mesh.grpc.status import from_rpc_error
from mesh.migrations import migrate
from mesh.reasons import Reason
from scan_svc.jobs.leases import Checkpoint
from scan_svc.scans import State
from tests.integration.scan.client import Client
from tests.integration.scan.outages.small_disk import SmallDisk, small_disk
from tests.support.scan.scan_parts import ScanParts, opened
from tests.support.waiting import eventually

# Raises what it is told, and counts in a sequence, which no rollback takes back.
_FAULTS = """
create sequence public.refused minvalue 0;
select nextval('public.refused');
create function public.refuse() returns trigger language plpgsql as $$
begin
    perform nextval('public.refused');
    raise exception 'refused' using errcode = tg_argv[0];
end
$$;
"""
_TABLES = ("scan", "job", "stage_result", "worker")
STATES = {"disk full": "53100", "input/output error": "58030", "file system read-only": "42501"}


class Faults:
    """Makes PostgreSQL refuse to write into tables, with an error of its own.

    Args:
        connection: To the database.
    """

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection

    async def refused(self) -> int:
        """How many writes were refused so far."""
        count: int = await self._connection.fetchval("select last_value from public.refused")
        return count

    async def more_are_refused(self, count: int = 2) -> None:
        """Waits until so many more were."""
        before = await self.refused()

        async def enough() -> bool:
            return await self.refused() >= before + count

        await eventually(enough)

    @asynccontextmanager
    async def refusing(self, state: str, *tables: str) -> AsyncIterator[None]:
        """Refuses while the block runs."""
        for table in tables:
            await self._connection.execute(
                f"create trigger refuse before insert or update on scan.{table}"
                f" execute function public.refuse('{state}')"
            )
        try:
            yield
        finally:
            for table in tables:
                await self._connection.execute(f"drop trigger refuse on scan.{table}")


@pytest.fixture
async def faults(database_url: str) -> AsyncIterator[Faults]:
    """Of the test's database."""
    connection = await asyncpg.connect(database_url)
    await connection.execute(_FAULTS)
    yield Faults(connection)
    await connection.close()


@pytest.mark.parametrize("state", STATES.values(), ids=STATES.keys())
async def test_a_result_waits_until_it_can_be_stored_and_is_paid_once(
    database_url: str, redis_url: str, faults: Faults, state: str
) -> None:
    """Whatever the server says of itself: the look was paid for, and its tries aren't used up."""
    async with opened(database_url, redis_url) as parts:
        scan_id = await parts.submit()
        async with parts.worker().working():
            async with faults.refusing(state, "stage_result"):
                await faults.more_are_refused()
            scan = await parts.ended(scan_id)
    assert (scan.state, parts.peers.calls["vision"]) == (State.SUCCEEDED, 1)


async def test_a_look_under_way_outlives_a_lease_in_which_nothing_could_be_written(
    database_url: str, redis_url: str, faults: Faults
) -> None:
    """Heartbeats can't be written either, so nobody can take its scan: who stopped now would pay once more."""
    async with opened(database_url, redis_url, lease_seconds=1.0) as parts:
        looking, looked = asyncio.Event(), asyncio.Event()

        async def look() -> None:
            looking.set()
            await looked.wait()

        parts.peers.before["vision"] = look
        scan_id = await parts.submit()
        worker = parts.worker()
        async with worker.working():
            await looking.wait()
            async with faults.refusing("53100", *_TABLES):
                await eventually(lambda: refused(worker.probe))
                await faults.more_are_refused(3)
                looked.set()
                await faults.more_are_refused(3)
            scan = await parts.ended(scan_id)
    assert (scan.state, parts.peers.calls["vision"]) == (State.SUCCEEDED, 1)


async def test_one_damaged_page_holds_up_nobody_elses_result(parts: ScanParts, faults: Faults) -> None:
    """Results are committed together; what can't be stored for now waits alone."""
    looking = asyncio.Event()

    async def look() -> None:
        if parts.peers.calls["vision"] == 3:
            looking.set()
        await looking.wait()

    parts.peers.before["vision"] = look
    damaged, *others = [await parts.submit() for _ in range(3)]
    job = await parts.pool.fetchval("select id from scan.job where ref = $1", damaged)
    await parts.pool.execute(
        "create trigger refuse before insert on scan.stage_result for each row"
        f" when (new.job_id = {job}) execute function public.refuse('XX001')"
    )
    async with parts.worker().working():
        for scan_id in others:
            assert (await parts.ended(scan_id)).state is State.SUCCEEDED
        await parts.pool.execute("drop trigger refuse on scan.stage_result")
        assert (await parts.ended(damaged)).state is State.SUCCEEDED
    assert parts.peers.calls["vision"] == 3


async def test_who_creates_a_scan_then_is_told_to_come_back(client: Client, faults: Faults) -> None:
    """It is no fault of ours that anybody could mend by a report, and none of theirs."""
    async with faults.refusing("53100", "scan"):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await client.create()
    error = from_rpc_error(caught.value, "scan")
    assert isinstance(error, Unavailable)
    assert (error.reason, error.metadata["peer"]) == (Reason.UNAVAILABLE, "postgres")
    assert error.retry_after


async def test_a_disk_without_room_costs_no_result(redis_url: str) -> None:
    """A real one: results can't be stored, and new connections are refused as well."""
    with small_disk() as disk:
        await eventually(lambda: migrated(disk))
        async with opened(disk.url, redis_url) as parts:
            checkpoint, full = parts.queue.checkpoint, 0

            async def counted(write: Checkpoint) -> None:
                nonlocal full
                try:
                    await checkpoint(write)
                except asyncpg.DiskFullError:
                    full += 1
                    raise

            async def fill() -> None:
                disk.fill()
                await parts.pool.expire_connections()

            parts.queue.checkpoint = counted  # type: ignore[method-assign,assignment]
            parts.peers.before["vision"] = fill
            scan_ids = [await parts.submit() for _ in range(8)]
            async with parts.worker().working():
                await eventually(lambda: true_of(full > len(scan_ids)))
                disk.make_room()
                scans = [await parts.ended(scan_id) for scan_id in scan_ids]
            assert {scan.state for scan in scans} == {State.SUCCEEDED}
            assert parts.peers.calls["vision"] == len(scan_ids)


async def migrated(disk: SmallDisk) -> bool:
    """Whether the server has started and has Scan's tables now."""
    try:
        await migrate(disk.url, "scan_svc")
    except (OSError, asyncpg.PostgresError):
        return False
    return True


async def true_of(condition: bool) -> bool:
    """For `eventually`, of what this process knows."""
    return condition


async def refused(ask: Callable[[], Awaitable[object]]) -> bool:
    """Whether a worker says that no beat of it is heard."""
    try:
        await ask()
    except ConnectionError:
        return True
    return False
