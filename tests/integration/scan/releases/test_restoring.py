"""A backup of the running database, restored into a new stack by PostgreSQL's own programs."""

import asyncio
import subprocess
import sys
from pathlib import Path

import asyncpg

from eco2.scan.v1 import scan_pb2
from local.stack.stores.postgres import binary
from tests.integration.scan.client import StartScanService
from tests.support.own_redis import own_redis
from tests.support.scan.peer_servicers import Peers
from tests.support.waiting import eventually


async def test_scans_go_on_in_a_restored_database_and_nothing_is_paid_again(
    start_scan_service: StartScanService, peers: Peers, database_url: str, empty_database: str, tmp_path: Path
) -> None:
    """Restored the next day, with an empty Redis; what clients saw after the backup is never followed by less."""
    backup, answering = tmp_path / "backup", asyncio.Event()
    async with start_scan_service("user") as client:
        before = await client.finished(await client.started())
        peers.before["ComposeAnswer"] = answering.wait
        scan_id = await client.started()
        await eventually(lambda: _called(peers, "ComposeAnswer", 2))
        await _run(binary("pg_dump"), "--format=custom", f"--file={backup}", database_url)
    # Life goes on after the backup, and then the database is lost.
    async with start_scan_service("user") as client:
        await eventually(lambda: _called(peers, "ComposeAnswer", 3))
        seen = (await client.get(scan_id)).version
    looks = peers.calls["Classify"]

    await _run(binary("pg_restore"), "--exit-on-error", f"--dbname={empty_database}", backup)
    await _pass_a_day(empty_database)
    environment = {"ECO2_DATABASE_URL": empty_database}
    told = await _run(sys.executable, "-m", "scan_svc.restored", **environment)
    answering.set()
    async with (
        own_redis(tmp_path) as redis,
        start_scan_service("user", database_url=empty_database, redis_url=redis.url) as client,
    ):
        assert (await client.get(scan_id)).version >= seen
        after = await client.finished(scan_id)
        assert await client.get(before.scan_id) == before
    assert told == "1 scans go on\n"
    assert (after.state, after.version > seen) == (scan_pb2.Scan.STATE_SUCCEEDED, True)
    assert peers.calls["Classify"] == looks == 2


async def _called(peers: Peers, method: str, times: int) -> bool:
    return peers.calls[method] >= times


async def _pass_a_day(dsn: str) -> None:
    """Between the backup and its restoration."""
    connection = await asyncpg.connect(dsn)
    await connection.execute("update scan.scan set started_at = started_at - interval '1 day' where state = 'QUEUED'")
    await connection.close()


async def _run(program: str | Path, *arguments: str | Path, **environment: str) -> str:
    """Runs a program to its end; what it printed."""
    ended = await asyncio.to_thread(
        subprocess.run, [program, *arguments], env=environment, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout
