"""What another release wrote, and this one can't read, is nobody else's fault."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import grpc
import pytest

from eco2.scan.v1.scan_service_pb2 import ListScansRequest
from mesh.grpc.status import from_rpc_error
from mesh.postgres import Pool, open_pool
from mesh.reasons import Reason
from mesh.redis import GuardedRedis, open_redis
from scan_svc.progress.encoder import SnapshotEncoder
from scan_svc.progress.keys import ScanKeys
from scan_svc.progress.reader import ScanReader
from scan_svc.progress.snapshots import Snapshot, Snapshots
from scan_svc.scans import Photo, Scan, State
from scan_svc.store import ScanStore
from tests.integration.scan.client import Client, StartScanService
from tests.support.waiting import eventually


@pytest.fixture
async def client(start_scan_service: StartScanService) -> AsyncIterator[Client]:
    """A user of a Scan service that doesn't work."""
    async with start_scan_service("user", scan_role="api") as client:
        yield client


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Pool]:
    """What another release writes to."""
    async with open_pool(database_url) as pool:
        yield pool


async def rewrite(database: Pool, scan_id: str) -> None:
    """Gives a scan a state that this release doesn't know."""
    await database.execute("alter table scan.scan drop constraint if exists scan_state_check")
    await database.execute("update scan.scan set state = 'WEIGHED' where id = $1", scan_id)


async def announce(redis: GuardedRedis, scan_id: str) -> None:
    """Says that a scan has changed."""
    keys = ScanKeys(redis.sharded)
    await redis.execute(keys.publish, keys.channel(keys.tag(scan_id)), scan_id)


@pytest.mark.redis_shapes
async def test_a_snapshot_of_another_form_is_read_from_postgresql_and_made_anew(client: Client, redis_url: str) -> None:
    """Results live for a day, so every deployment meets those of the release before; nor may it spoil its batch."""
    scans = [(await client.create()).scan for _ in range(3)]
    async with open_redis(redis_url) as redis:
        snapshots = Snapshots(redis, SnapshotEncoder())
        for scan in scans:
            await client.get(scan.scan_id)
        key = ScanKeys(redis.sharded).progress(scans[0].scan_id)
        await redis.execute("SET", key, b"0000000001" + b"\x81\xa7another\xa4form")
        await announce(redis, scans[0].scan_id)
        read = await asyncio.gather(*(snapshots.read(scan.scan_id) for scan in scans))
        assert [snapshot is not None for snapshot in read] == [False, True, True]

        async def made_anew() -> bool:
            assert await asyncio.gather(*(client.get(scan.scan_id) for scan in scans)) == scans
            return await snapshots.read(scans[0].scan_id) is not None

        await eventually(made_anew)


async def test_a_scan_that_can_t_be_read_is_a_fault_for_its_own_readers_alone(
    client: Client, database: Pool, redis_url: str
) -> None:
    """Reads share a round trip, but not each other's luck; and it exists, so NOT_FOUND would be a lie."""
    good, bad, other = [(await client.create()).scan.scan_id for _ in range(3)]
    await rewrite(database, bad)
    async with open_redis(redis_url) as redis:
        for scan_id in (good, bad, other):
            await redis.execute("DEL", ScanKeys(redis.sharded).progress(scan_id))
        await announce(redis, bad)
        store = ScanStore(database)
        reader = ScanReader(Snapshots(redis, SnapshotEncoder()), store.get_many, asyncio.Event().wait)
        read = await asyncio.gather(*map(reader.read, (good, bad, other)), return_exceptions=True)
    assert [isinstance(one, Snapshot) for one in read] == [True, False, True]

    async def refused() -> bool:
        try:
            await client.get(bad)  # kept in this process until it hears of the change
        except grpc.aio.AioRpcError as error:
            return from_rpc_error(error, "scan").reason is Reason.INTERNAL
        return False

    await eventually(refused)


async def test_a_scan_that_can_t_be_read_hides_nothing_else_of_a_history(client: Client, database: Pool) -> None:
    """Wherever it stands on a page, the pages go on behind it."""
    scan_ids = [(await client.create()).scan.scan_id for _ in range(5)][::-1]
    for bad in scan_ids[1::2]:
        await rewrite(database, bad)
    found, token = [], ""
    while True:
        request = ListScansRequest(page_size=2, page_token=token)
        page = await client.stub.ListScans(request, metadata=client.metadata)
        found += [scan.scan_id for scan in page.scans]
        if not (token := page.next_page_token):
            break
    assert found == scan_ids[::2]


@pytest.mark.redis_shapes
async def test_a_scan_that_can_t_be_shown_takes_no_other_s_news_along(redis_url: str) -> None:
    """They go out together; those that can be shown are."""

    def render(scan: Scan) -> bytes:
        if scan.user_input == "bad":
            raise ValueError("no such class")
        return SnapshotEncoder()(scan)

    async with open_redis(redis_url) as redis, open_redis(redis_url) as other:
        snapshots = Snapshots(redis, render)
        scans = [a_scan(user_input=text) for text in ("good", "bad", "good")]
        await asyncio.gather(*(snapshots.publish(scan) for scan in scans))
        read = await asyncio.gather(*(Snapshots(other, SnapshotEncoder()).read(scan.scan_id) for scan in scans))
        assert [snapshot is not None for snapshot in read] == [True, False, True]


def a_scan(**fields: Any) -> Scan:
    return Scan(
        scan_id=str(uuid.uuid4()), user_id="user", state=State.SUCCEEDED, version=1,
        photo=Photo("https://example.com/1.jpg"), created_at=datetime.now(UTC), **fields,
    )  # fmt: skip
