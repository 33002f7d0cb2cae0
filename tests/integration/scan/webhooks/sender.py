"""A worker that sends webhooks: rows in a real database, receivers that a test scripts, a clock that it moves."""

import asyncio
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import asyncpg
import httpx2

from mesh.addresses import IPAddress, open_public_client
from mesh.postgres import open_pool
from scan_svc.jobs.workers import WorkerRegistry
from scan_svc.scan_proto import scan_as_json
from scan_svc.webhooks.delivery import DeliveryContext, WebhookDelivery
from scan_svc.webhooks.message import DeliveryRecord
from scan_svc.webhooks.store import WebhookLease, WebhookStore
from tests.support.webhook_receivers import HOST, Receivers

USER = "user-with-a-hook"


class WebhookSender:
    """What a worker needs to send webhooks."""

    def __init__(self, pool: asyncpg.Pool, store: WebhookStore, worker_id: int) -> None:
        self.pool = pool
        self.store = store
        self.worker_id = worker_id
        self.receivers = Receivers()
        self.began = self.now = datetime.now(UTC)
        self.seconds = 7.5
        self.names: Sequence[IPAddress] = [ip_address("93.184.215.14")]
        self.busy = Counter[str]()
        self.client: httpx2.AsyncClient

    async def resolve(self, host: str, port: int) -> Sequence[IPAddress]:
        """All hosts have the same addresses."""
        return self.names

    async def ended_scan(self, host: str = HOST, state: str = "SUCCEEDED", **columns: str) -> str:
        """A scan that has ended and whose webhook is due, with other values in some columns; returns its id."""
        url, scan_id = f"https://{host}/hook", str(uuid.uuid4())
        await self.store.secret(USER, url)
        await self.pool.execute(
            """insert into scan.scan (id, user_id, payload_hash, state, version, image_url, object_key, content_type,
                   size_bytes, sha256, user_input, region, locale, callback_url, step, finished_at)
               values ($1, $2, '', $3, 1, 'https://cdn/1.jpg', '', '',
                   0, '', '캔이에요', '', 'ko', $4, 'done', now())""",
            scan_id, USER, state, url,
        )  # fmt: skip
        for column, value in columns.items():
            await self.pool.execute(f"update scan.scan set {column} = $2 where id = $1", scan_id, value)
        await self.pool.execute("select scan.make_webhooks(array[$1::uuid], $2)", scan_id, f"scan.{state.lower()}")
        return scan_id

    async def claim(self) -> list[WebhookLease]:
        """What is due."""
        return await self.store.claim(self.worker_id, 16)

    def delivery(self, lease: WebhookLease) -> WebhookDelivery:
        """A lease, ready to run; without jitter."""
        context = DeliveryContext(
            self.store, self.client, scan_as_json, lambda: self.now, lambda: 0.0, self.seconds, self.busy
        )
        return WebhookDelivery(context, lease)

    async def deliver(self) -> int:
        """Takes what is due and tries it once; returns how many there were."""
        leases = await self.claim()
        await asyncio.gather(*(self.delivery(lease).run() for lease in leases))
        return len(leases)

    async def skip_to_next(self) -> bool:
        """Moves the clock to the next try; False when there is none."""
        wait = await self.pool.fetchval("select min(run_at) - now() from scan.job where state = 'READY'")
        if wait is None:
            return False
        wait = max(wait, timedelta())
        self.now += wait
        # The database's own clock can't be moved, so everything in it moves back.
        await self.pool.execute("update scan.job set run_at = run_at - $1::interval", wait)
        await self.pool.execute("update scan.webhook set queued_at = queued_at - $1::interval", wait)
        return True

    async def record(self, scan_id: str) -> DeliveryRecord:
        """What became of a scan's only webhook."""
        (record,) = await self.store.deliveries(scan_id)
        return record

    async def jobs(self) -> list[tuple[str, int]]:
        """State and attempt of every job."""
        return [(row["state"], row["attempt"]) for row in await self.pool.fetch("select * from scan.job order by id")]


@asynccontextmanager
async def open_sender(database_url: str) -> AsyncIterator[WebhookSender]:
    """A sender on this database."""
    async with open_pool(database_url) as pool:
        store = WebhookStore(pool, lambda count: uuid.uuid4().bytes * (count // 16))
        sender = WebhookSender(pool, store, await WorkerRegistry(pool).register())
        wire = httpx2.MockTransport(sender.receivers)
        async with open_public_client(
            "callback_url", redirects=0, inner=wire, resolver=sender.resolve
        ) as sender.client:
            yield sender
