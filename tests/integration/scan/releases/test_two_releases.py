"""A rolling upgrade: the release before this one and this one at work over one database, one Redis and one storage."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest

from eco2.scan.v1 import scan_pb2
from mesh.migrations import migrate
from tests.integration.scan.client import Client, StartScanService
from tests.integration.scan.releases.earlier_release import Release
from tests.support.scan.peer_servicers import Peers
from tests.support.storage import Storage
from tests.support.waiting import eventually


@pytest.fixture
def settings(empty_database: str, redis_url: str, s3: Storage, peer_target: str) -> dict[str, Any]:
    """What both releases are told."""
    return {
        "database_url": empty_database, "redis_url": redis_url, "s3_endpoint": s3.endpoint, "s3_bucket": s3.bucket,
        "s3_access_key": s3.access_key, "s3_secret_key": s3.secret_key, "cdn_base_url": s3.cdn_base_url,
        "vision_target": peer_target, "rules_target": peer_target, "character_target": peer_target,
        "drain_seconds": 0, "grace_seconds": 1, "log_format": "console",
    }  # fmt: skip


async def test_scans_pass_between_two_releases_and_are_paid_once(
    start_scan_service: StartScanService, peers: Peers, settings: dict[str, Any], tmp_path: Path
) -> None:
    """First the tables are migrated, then pods are replaced one by one; what the old ones held is finished by new."""
    before, database = Release(tmp_path), settings["database_url"]
    await before.migrate(database)
    async with before.scan(settings) as old, _client(old.target) as client:
        held = [await _held(client, peers, method) for method in ("EvaluateReward", "ComposeAnswer")]
        await migrate(database, "scan_svc")
        async with start_scan_service("user", database_url=database, scan_role="api") as new:
            by_old_worker = await new.finished(await new.started())
            assert (await client.get(by_old_worker.scan_id)).answer == by_old_worker.answer
            seen = [(await new.get(scan_id)).version for scan_id in held]
    async with (
        before.scan(settings | {"scan_role": "api"}) as old,
        _client(old.target) as client,
        start_scan_service("user", database_url=database, scan_role="worker"),
    ):
        by_new_worker = await client.finished(await client.started())
        handed_over = [await client.finished(scan_id) for scan_id in held]
    for scan in (by_old_worker, by_new_worker, *handed_over):
        assert scan.state == scan_pb2.Scan.STATE_SUCCEEDED
    assert all(scan.version > version for scan, version in zip(handed_over, seen, strict=True))
    assert peers.calls["Classify"] == 4
    assert peers.calls["ComposeAnswer"] == 5  # the one that was at work when its worker had to leave, once more


@asynccontextmanager
async def _client(target: str) -> AsyncIterator[Client]:
    async with grpc.aio.insecure_channel(target) as channel:
        yield Client(target, channel, "user")


async def _held(client: Client, peers: Peers, method: str) -> str:
    """A scan whose worker waits for a peer's answer that never comes."""
    peers.before[method], times = asyncio.Event().wait, peers.calls[method] + 1
    scan_id = await client.started()
    await eventually(lambda: _called(peers, method, times))
    del peers.before[method]
    return scan_id


async def _called(peers: Peers, method: str, times: int) -> bool:
    return peers.calls[method] >= times
