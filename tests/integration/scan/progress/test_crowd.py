"""Ten thousand watchers in one process: each sees the change, and memory stays bounded."""

import asyncio
import os
import sys
import uuid
from collections.abc import Mapping
from contextlib import AsyncExitStack
from typing import Any

import grpc
import psutil
import pytest

from eco2.scan.v1 import scan_service_pb2_grpc
from eco2.scan.v1.scan_service_pb2 import CancelScanRequest, CreateScanRequest, WatchScanRequest, WatchScanResponse
from local.stack.services import probe
from mesh.grpc.identity import USER_HEADER
from tests.support.ports import free_port
from tests.support.waiting import eventually

WATCHERS, SCANS, CHANNELS = 10_000, 100, 20
MEBIBYTE = 1 << 20


@pytest.mark.stack
@pytest.mark.slow
async def test_ten_thousand_watchers_in_one_process(stack: Mapping[str, str], database_url: str) -> None:
    """Nobody is refused, everybody gets the end, and nobody is forgotten in memory afterwards."""
    target = f"127.0.0.1:{free_port()}"
    settings = {
        "ECO2_LISTEN": target, "ECO2_SCAN_ROLE": "api", "ECO2_DATABASE_URL": database_url,
        "ECO2_USER_WATCHER_LIMIT": str(WATCHERS), "ECO2_WATCHER_LIMIT": str(WATCHERS), "ECO2_LOG_LEVEL": "error",
        "ECO2_DRAIN_SECONDS": "0.2",
    }  # fmt: skip
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "scan_svc", env={**os.environ, **stack, **settings}
    )
    try:
        await eventually(lambda: _serves(target))
        server = psutil.Process(process.pid)
        idle = server.memory_info().rss
        grown = await _crowd(target, server) - idle
        print(f"{WATCHERS} watchers: {grown / MEBIBYTE:.0f} MiB more than idle, {grown // WATCHERS} bytes each")
        assert grown < 600 * MEBIBYTE
    finally:
        process.terminate()
        await process.wait()


async def _crowd(target: str, server: psutil.Process) -> int:
    """Opens all watches, measures, then ends the scans; returns the server's memory while all watched."""
    metadata = ((USER_HEADER, f"user-{uuid.uuid4().hex}"),)
    async with AsyncExitStack() as opened:
        stubs = []
        for _ in range(CHANNELS):
            options = [("grpc.use_local_subchannel_pool", 1)]
            channel = await opened.enter_async_context(grpc.aio.insecure_channel(target, options=options))
            stubs.append(scan_service_pb2_grpc.ScanServiceStub(channel))
        upload = CreateScanRequest(upload={"content_type": "image/jpeg", "size_bytes": 1})
        created = [await stubs[0].CreateScan(upload, metadata=metadata) for _ in range(SCANS)]
        scan_ids = [one.scan.scan_id for one in created]
        watches: list[Any] = []
        for number in range(WATCHERS):
            request = WatchScanRequest(scan_id=scan_ids[number % SCANS])
            watches.append(stubs[number % CHANNELS].WatchScan(request, metadata=metadata))
            if len(watches) % 500 == 0:
                assert {(await watch.read()).type for watch in watches[-500:]} == {WatchScanResponse.TYPE_SNAPSHOT}
        memory: int = server.memory_info().rss
        for scan_id in scan_ids:
            await stubs[0].CancelScan(CancelScanRequest(scan_id=scan_id), metadata=metadata)
        ends = await asyncio.gather(*(_end(watch) for watch in watches))
        assert set(ends) == {WatchScanResponse.TYPE_TERMINAL}
        return memory


async def _end(watch: Any) -> int:
    last = WatchScanResponse.TYPE_UNSPECIFIED
    while (event := await watch.read()) is not grpc.aio.EOF:
        last = event.type
    return last


async def _serves(target: str) -> bool:
    try:
        await probe(target)
    except (ConnectionError, grpc.RpcError):
        return False
    return True
