"""Scans, counted: how they ended, how long that took, and what went wrong on the way."""

from collections.abc import AsyncIterator, Mapping
from typing import TypeAlias

import pytest
from prometheus_client.parser import text_string_to_metric_families

from eco2.scan.v1 import operations_service_pb2 as operations
from mesh.errors import InvalidArgument, Unavailable
from mesh.reasons import Reason
from tests.integration.scan.client import Client, StartScanService
from tests.support.http import http_client
from tests.support.ports import free_port
from tests.support.scan.peer_servicers import Peers
from tests.support.scan.scan_parts import ScanParts
from tests.support.waiting import eventually

Figures: TypeAlias = Mapping[tuple[str, ...], float]


class Scraped:
    """A running service and its figures.

    Args:
        client: A user of it.
        address: Where it is scraped.
    """

    def __init__(self, client: Client, address: str) -> None:
        self.client = client
        self._address = address

    async def figures(self, *names: str) -> Figures:
        """What isn't 0 of some series, by name and labels' values in their names' order, but for empty ones."""
        async with http_client() as http:
            text = (await http.get(f"http://{self._address}/metrics")).text
        samples = [one for family in text_string_to_metric_families(text) for one in family.samples]
        return {
            (one.name, *(value for _, value in sorted(one.labels.items()) if value)): one.value
            for one in samples
            if one.name in names and one.value
        }

    async def become(self, expected: Figures) -> None:
        """Waits until the figures are these; what is shown may be a moment earlier."""

        async def told() -> bool:
            return await self.figures(*{name for name, *_ in expected}) == expected

        await eventually(told)


@pytest.fixture
async def scraped(start_scan_service: StartScanService) -> AsyncIterator[Scraped]:
    """A Scan service that is scraped."""
    address = f"127.0.0.1:{free_port()}"
    async with start_scan_service(metrics_address=address) as client:
        yield Scraped(client, address)


async def _fails(error: Exception) -> None:
    raise error


async def test_a_scan_that_succeeds_is_counted_stage_by_stage(scraped: Scraped) -> None:
    """Objectives are kept by these: first result, whole scan, what models didn't take."""
    client = scraped.client
    await client.finished(await client.started())
    once = (
        "eco2_scan_created_total",
        "eco2_scan_first_result_duration_seconds_count",
        "eco2_scan_overhead_duration_seconds_count",
    )
    await scraped.become(
        {(name,): 1.0 for name in once}
        | {("eco2_scan_ended_total", "succeeded"): 1.0, ("eco2_scan_duration_seconds_count", "succeeded"): 1.0}
        | {
            ("eco2_stage_duration_seconds_count", "succeeded", stage): 1.0
            for stage in ("vision", "rules", "answer", "reward")
        }
    )
    total, own = "eco2_scan_duration_seconds_sum", "eco2_scan_overhead_duration_seconds_sum"
    seconds = await scraped.figures(total, own)
    assert 0 < seconds[own,] < seconds[total, "succeeded"]


async def test_a_batch_scan_has_no_times(scraped: Scraped, parts: ScanParts) -> None:
    """It may wait for an hour: an import would spend the error budget of those for whom somebody waits."""
    client = scraped.client
    created = await client.create()
    await parts.pool.execute("update scan.scan set priority = -1")
    (await client.put(created.upload)).raise_for_status()
    await client.start(created.scan.scan_id)
    await client.finished(created.scan.scan_id)
    await scraped.become({("eco2_scan_ended_total", "succeeded"): 1.0})
    assert not await scraped.figures(
        "eco2_scan_first_result_duration_seconds_count",
        "eco2_scan_duration_seconds_count",
        "eco2_scan_overhead_duration_seconds_count",
    )


async def test_tries_failures_and_dead_letters_are_counted_by_stage_and_reason(scraped: Scraped, peers: Peers) -> None:
    """Which peer it is, and whether anything comes back by itself."""
    client = scraped.client
    peers.before["ComposeAnswer"] = lambda: _fails(Unavailable(Reason.UNAVAILABLE, peer="rules"))
    scan_id = await client.started()
    await client.finished(scan_id)
    stage = "eco2_stage_duration_seconds_count"
    await scraped.become(
        {
            ("eco2_scan_ended_total", "failed", "UNAVAILABLE"): 1.0,
            ("eco2_job_dead_letters_total", "answer"): 1.0,
            (stage, "succeeded", "vision"): 1.0,
            (stage, "succeeded", "rules"): 1.0,
            (stage, "retried", "answer"): 2.0,
            (stage, "failed", "answer"): 1.0,
        }
    )
    del peers.before["ComposeAnswer"]
    await client.operations.ReplayScan(operations.ReplayScanRequest(scan_id=scan_id))
    await client.finished(scan_id)
    await scraped.become({("eco2_job_replays_total", "replayed"): 1.0})
    # Of a scan that was tried before nobody knows what models took.
    assert not await scraped.figures("eco2_scan_overhead_duration_seconds_count")


async def test_what_can_never_succeed_is_no_dead_letter(scraped: Scraped, peers: Peers) -> None:
    """It is the user's photo, and nobody's incident."""
    peers.before["Classify"] = lambda: _fails(InvalidArgument(Reason.PHOTO_UNREADABLE, detail="truncated"))
    await scraped.client.finished(await scraped.client.started())
    await scraped.become({("eco2_scan_ended_total", "failed", "PHOTO_UNREADABLE"): 1.0})
    assert not await scraped.figures("eco2_job_dead_letters_total")


async def test_a_scan_that_is_cancelled_is_counted_once(scraped: Scraped) -> None:
    """Cancelling again changes nothing."""
    created = await scraped.client.create()
    for _ in range(2):
        await scraped.client.cancel(created.scan.scan_id)
    await scraped.become({("eco2_scan_ended_total", "cancelled"): 1.0})


async def test_watches_are_counted_while_they_last_and_by_how_late_they_are_told(scraped: Scraped) -> None:
    """A change is worth nothing before it is seen."""
    created = await scraped.client.create()
    watch = scraped.client.watch(created.scan.scan_id)
    events = aiter(watch)
    await anext(events)
    await scraped.become({("eco2_watch_active",): 1.0})
    await scraped.client.cancel(created.scan.scan_id)
    async for _ in events:
        pass
    (lags,) = (await scraped.figures("eco2_watch_lag_seconds_count")).values()
    assert lags >= 1
    await scraped.become({("eco2_watch_lag_seconds_count",): lags})
    assert not await scraped.figures("eco2_watch_active")
