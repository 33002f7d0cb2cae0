"""The service's own parts in this process, for tests that look at one moment closely."""

import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

import httpx2
import uuid_utils

from mesh.observability import telemetry
from mesh.postgres import Pool, open_pool
from mesh.redis import open_redis
from scan_svc.consumers import JobTables
from scan_svc.jobs.dead_letters import DeadLetters
from scan_svc.jobs.leases import Lease
from scan_svc.jobs.notifier import Notifier
from scan_svc.jobs.periodic import Schedule
from scan_svc.jobs.quarantine import Quarantine
from scan_svc.jobs.queue import JobQueue
from scan_svc.jobs.worker import Worker
from scan_svc.jobs.workers import WorkerRegistry
from scan_svc.pipeline.stages import DEFAULTS, Pipeline
from scan_svc.progress.progress import Progress, open_progress
from scan_svc.rewards.store import RewardStore
from scan_svc.scans import NewScan, Photo, Scan, ScanRequest
from scan_svc.settings import ScanSettings
from scan_svc.store import ScanStore
from scan_svc.webhooks.store import WebhookStore
from tests.support.http import http_client
from tests.support.scan.fake_peers import FakePeers
from tests.support.scan.worker import Orders, settings_of, worker_of
from tests.support.waiting import eventually

LEASE_SECONDS = 15.0


class ScanParts:
    """The service's own parts in this process; they may be replaced before a worker is made."""

    def __init__(
        self, settings: ScanSettings, pool: Pool, progress: Progress, peers: FakePeers, web: httpx2.AsyncClient
    ) -> None:
        self.settings = settings
        self.pool = pool
        self.progress = progress
        self.peers = peers
        self.store = ScanStore(pool)
        self.registry = WorkerRegistry(pool)
        self.schedule = Schedule(pool)
        self.rewards = RewardStore(pool)
        self.dead_letters = DeadLetters(pool, progress.reader.refresh, self._wake)
        self._web = web
        self.use(JobQueue(pool))

    def use(self, queue: JobQueue) -> None:
        """Takes another queue, and a quarantine on it."""
        self.queue = queue
        self.quarantine = Quarantine(queue, self.schedule, self.settings.lease_seconds)

    def worker(self, wake: Callable[[str], None] | None = None) -> Worker:
        """A worker. One that nobody wakes polls.

        Args:
            wake: Called with the kind of job that it leaves to others.
        """
        webhooks = WebhookStore(self.pool, secrets.token_bytes)
        tables = JobTables(self.registry, self.schedule, self.queue, self.rewards, webhooks)
        pipeline = Pipeline(DEFAULTS, self.peers, self.peers, self.peers)
        return worker_of(self.settings, self.pool, tables, pipeline, self.progress, wake or self._wake, self._web)

    def _wake(self, kind: str) -> None:
        """Nobody listens."""

    async def submit(self, crashes: int = 0, *, later: bool = False) -> str:
        """Submits a scan, which may have been in crashes already, or be due later; returns its id."""
        scan_id = str(uuid_utils.uuid7())
        url = "https://example.com/1.jpg"
        new = NewScan(scan_id, Photo(url), ScanRequest(user_id="user", photo=url))
        async with self.pool.acquire() as connection, connection.transaction():
            await ScanStore(connection).create(new, "")
            await connection.execute(
                "update scan.job set crashes = $2, run_at = run_at + $3 * interval '1 hour' where ref = $1",
                scan_id, crashes, int(later),
            )  # fmt: skip
        return scan_id

    async def claimed(self) -> Lease:
        """The one scan that is due, in the hands of a new worker."""
        (lease,) = await self.queue.claim(await self.registry.register(), 1)
        return lease

    async def held(self) -> Lease:
        """A new scan in the hands of a new worker."""
        await self.submit()
        return await self.claimed()

    async def lose_everybody(self) -> list[str]:
        """Every worker falls silent for longer than a lease; another one takes its scans back."""
        await self.pool.execute("update scan.worker set beat_at = now() - interval '1 hour'")
        orphans = await self.registry.rescue_orphans(LEASE_SECONDS)
        await self.pool.execute("update scan.job set run_at = now()")
        return orphans

    async def ended(self, scan_id: str) -> Scan:
        """A scan once it has ended and, if it has an answer, got its reward."""

        async def terminal() -> bool:
            scan = await self.store.get(scan_id)
            return scan.state.terminal and not scan.results.awaits_reward

        await eventually(terminal)
        return await self.store.get(scan_id)


@asynccontextmanager
async def opened(database_url: str, redis_url: str, lease_seconds: float = LEASE_SECONDS) -> AsyncIterator[ScanParts]:
    """The parts on a database."""
    settings = settings_of(Orders(database_url, redis_url, "", lease_seconds)).model_copy(
        update={"backoff_seconds": 0.01, "worker_capacity": 2000}
    )
    async with AsyncExitStack() as stack:
        stack.enter_context(telemetry.started("traps", settings))
        pool = await stack.enter_async_context(open_pool(database_url))
        redis = await stack.enter_async_context(open_redis(redis_url))
        web = await stack.enter_async_context(http_client())
        ask = Notifier(pool).ask_for_progress
        progress = await stack.enter_async_context(open_progress(pool, redis, ScanStore(pool).get_many, ask))
        yield ScanParts(settings, pool, progress, FakePeers(), web)
