"""A comparison whose worker is killed: another one goes on where it was, and pays for nothing again."""

import asyncio
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from typing import Any

import grpc
import pytest

from eco2.jobs.v1.job_pb2 import Job
from mesh.postgres import open_pool
from tests.integration.scan.client import StartScanService, create
from tests.integration.scan.comparisons.operators import Operator
from tests.support.scan.peer_servicers import Peers
from tests.support.storage import Storage
from tests.support.waiting import eventually

_SCANS = 6


@pytest.fixture
def start_worker(
    database_settings: Mapping[str, str], redis_url: str, s3: Storage, peer_target: str
) -> Iterator[Callable[[], "subprocess.Popen[bytes]"]]:
    """Starts worker processes of their own."""
    told: dict[str, Any] = {
        **database_settings, "redis_url": redis_url, "s3_endpoint": s3.endpoint, "s3_bucket": s3.bucket,
        "s3_access_key": s3.access_key, "s3_secret_key": s3.secret_key, "cdn_base_url": s3.cdn_base_url,
        "vision_target": peer_target, "rules_target": peer_target, "character_target": peer_target,
        "scan_role": "worker", "lease_seconds": 1, "listen": "127.0.0.1:0",
    }  # fmt: skip
    variables = os.environ | {f"ECO2_{name.upper()}": str(value) for name, value in told.items()}
    with ExitStack() as exits:

        def start() -> "subprocess.Popen[bytes]":
            process = subprocess.Popen([sys.executable, "-m", "scan_svc"], env=variables, stdout=subprocess.DEVNULL)
            exits.callback(process.wait)
            exits.callback(process.kill)
            return process

        yield start


@pytest.mark.slow
async def test_after_a_kill_no_scan_is_paid_twice_but_that_under_way(
    start_scan_service: StartScanService,
    start_worker: Callable[[], "subprocess.Popen[bytes]"],
    peers: Peers,
    database_url: str,
) -> None:
    """kill -9 while one look is under way and five are stored: six scans come out, with one look each and one more."""
    held, killed = asyncio.Event(), asyncio.Event()

    async def hold_the_third() -> None:
        if len(peers.looks) == 3 and not held.is_set():
            held.set()
            await killed.wait()

    async with start_scan_service(lease_seconds=1) as client:
        scan_ids = [await create(client, f"https://example.com/{number}.jpg") for number in range(_SCANS)]
        await asyncio.gather(*map(client.finished, scan_ids))
    peers.usage = {"model": "gpt", "cost_micro_usd": 400, "calls": 1}
    peers.before["Reclassify"] = hold_the_third
    async with (
        start_scan_service(scan_role="api") as client,
        grpc.aio.insecure_channel(client.target) as channel,
        open_pool(database_url) as database,
    ):
        operator = Operator(channel)
        comparison_id = (await operator.begin(classifier="gpt-5")).job_id
        process = start_worker()

        async def others_are_stored() -> bool:
            stored = await database.fetchval("select count(*) from scan.comparison_scan where outcome is not null")
            return held.is_set() and bool(stored == _SCANS - 1)

        await eventually(others_are_stored)
        process.kill()
        killed.set()
        async with start_scan_service(scan_role="worker", lease_seconds=1):
            done = await operator.ended(comparison_id)
    assert done.comparison.state == Job.STATE_SUCCEEDED
    assert (done.report.compared, done.comparison.cost_micro_usd) == (_SCANS, _SCANS * 400)
    assert sorted(Counter(peers.looks).values()) == [1] * (_SCANS - 1) + [2]
