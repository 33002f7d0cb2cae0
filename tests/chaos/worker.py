"""One worker process under chaos: the service's own parts, between unruly peers."""

import asyncio
import signal
import sys
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg
import httpx2
import msgspec
import uvloop

from mesh import telemetry
from mesh.postgres import listen, open_pool
from mesh.redis import open_redis
from scan_svc.app import Parts
from scan_svc.jobs.periodic import Periodic, PeriodicTask
from scan_svc.jobs.queue import JobQueue
from scan_svc.pipeline.stages import Pipeline
from scan_svc.settings import ScanSettings
from tests.chaos.journal import Journal
from tests.chaos.peers import STAGES, Temper, UnrulyPeers

# Longer than a usual stage, shorter than one that hangs: some are finished, some given back.
_GRACE_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Orders:
    """What the process is told on its command line, as JSON.

    Attributes:
        database_url: The truth.
        redis_url: Where progress goes.
        journals: The folder of the journals.
        lease_seconds: Its lease.
        temper: How its peers behave.
    """

    database_url: str
    redis_url: str
    journals: str
    lease_seconds: float
    temper: Temper = field(default_factory=Temper)


class WitnessedQueue(JobQueue):
    """The queue, with a note of who this process is to it."""

    def __init__(self, pool: asyncpg.Pool, heartbeat_pool: asyncpg.Pool, journal: Journal) -> None:
        super().__init__(pool, heartbeat_pool)
        self._journal = journal

    async def register_worker(self) -> int:
        """Registers the worker, and writes its number down before it can claim anything."""
        worker_id = await super().register_worker()
        self._journal.registered(worker_id)
        return worker_id


async def work(orders: Orders) -> None:
    """Works until SIGTERM, or worse."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    settings = settings_of(orders)
    journal = Journal(Path(orders.journals))
    async with AsyncExitStack() as stack:
        shared = stack.enter_context(telemetry.started("chaos", settings))
        pool = await stack.enter_async_context(open_pool(orders.database_url))
        heartbeat_pool = await stack.enter_async_context(open_pool(orders.database_url, max_size=1))
        redis = await stack.enter_async_context(open_redis(orders.redis_url))
        web = await stack.enter_async_context(httpx2.AsyncClient(transport=httpx2.MockTransport(_receive)))
        parts = Parts(settings, shared, pool, redis)
        parts.queue = WitnessedQueue(pool, heartbeat_pool, journal)
        peers = UnrulyPeers(journal, orders.temper)
        worker = parts.worker(Pipeline(STAGES, peers, peers, peers), web)
        housekeeping = Periodic(parts.queue, [PeriodicTask("reprocess", 300, parts.dead_letters.reprocess)])
        loops = [
            asyncio.create_task(loop)
            for loop in (
                listen(orders.database_url, {"scan_ready": worker.wake}),
                housekeeping.run(),
            )
        ]
        async with worker.working():
            await stop.wait()
            journal.leaving()
        await parts.snapshots.flush()
        for loop in loops:
            loop.cancel()
        await asyncio.gather(*loops, return_exceptions=True)


async def _receive(_: httpx2.Request) -> httpx2.Response:
    return httpx2.Response(204)


def settings_of(orders: Orders) -> ScanSettings:
    """The service's settings; what workers don't use is filled with anything."""
    unused = dict.fromkeys(
        ("s3_endpoint", "s3_bucket", "s3_access_key", "s3_secret_key", "cdn_base_url", "vision_target", "rules_target",
         "character_target"), "unused",
    )  # fmt: skip
    return ScanSettings(
        database_url=orders.database_url,
        redis_url=orders.redis_url,
        lease_seconds=orders.lease_seconds,
        grace_seconds=_GRACE_SECONDS,
        backoff_seconds=0.2,
        **unused,
    )


if __name__ == "__main__":
    uvloop.run(work(msgspec.json.decode(sys.argv[1], type=Orders)))
