"""One chaos run from the first scan to the verdict."""

import asyncio
import functools
import random
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

import asyncpg
import uuid_utils

from mesh import outages
from mesh.migrations import migrate
from mesh.postgres import open_pool
from scan_svc.jobs.leases import SCAN_KIND
from scan_svc.jobs.notifier import Notifier
from scan_svc.mirrors.places import LatLng
from scan_svc.scans import NewScan, Photo, ScanRequest
from scan_svc.store import ScanStore
from scan_svc.webhooks.message import SECRET_BYTES, new_secret
from tests.chaos.event_reader import EventReader
from tests.chaos.fault_injector import FaultInjector
from tests.chaos.observations import Observations, Submitted, collect, install_audit
from tests.chaos.plan import Plan
from tests.chaos.worker_pool import worker_pool
from tests.support.scan.unruly_peers import POISON
from tests.support.scan.worker import Orders

USER = "chaos"
CALLBACK = "https://example.com/hook"

_SETTLE_SECONDS = 120.0
_SEOUL = LatLng(37.5636, 126.9084)

T = TypeVar("T")


async def run(plan: Plan, stack: Path, variables: Mapping[str, str], say: Callable[[str], None]) -> Observations:
    """Lets the plan happen on a stack of stores.

    Args:
        plan: What is to happen.
        stack: The folder of the stores, of which nothing will be spared.
        variables: Their addresses.
        say: Is told how far it is.

    Returns:
        All that is known when every scan has ended, or none has for long.
    """
    dsn, journals = variables["ECO2_DATABASE_URL"], stack / "journals"
    await asyncio.to_thread(journals.mkdir)
    await migrate(dsn, "scan_svc")
    await _prepare(dsn)
    orders = Orders(dsn, variables["ECO2_REDIS_URL"], str(journals), plan.lease_seconds)
    async with open_pool(dsn) as pool:
        reader = EventReader(pool)
        reading = asyncio.create_task(reader.run())
        async with worker_pool(plan.workers, orders, stack / "log" / "workers.log") as workers:
            injector = FaultInjector(workers, stack, plan.lease_seconds, plan.seed)
            submitting = asyncio.create_task(_submit(pool, plan))
            await injector.rage(plan.seconds, plan.pause)
            submitted = await submitting
            say(f"{len(injector.hits)} blows dealt; waiting for the last scans")
            await _settled(pool)
        reading.cancel()
        with suppress(asyncio.CancelledError):
            await reading
        await reader.finish()
        connection = await asyncpg.connect(dsn)
        try:
            return await collect(connection, journals, submitted, injector.hits, plan.lease_seconds, reader.read)
        finally:
            await connection.close()


async def _prepare(dsn: str) -> None:
    connection = await asyncpg.connect(dsn)
    await install_audit(connection)
    secret = new_secret(secrets.token_bytes(SECRET_BYTES))
    await connection.execute("insert into scan.webhook_endpoint values ($1, $2, $3)", USER, CALLBACK, secret)
    await connection.close()


async def _submit(pool: asyncpg.Pool, plan: Plan) -> dict[str, Submitted]:
    """Submits everything at an even pace, each until it is accepted: a client keeps its request_id."""
    store, notifier = ScanStore(pool), Notifier(pool)
    chance = random.Random(plan.seed)
    # Early, since it takes five crashes to be recognised.
    poisonous = set(chance.sample(range(plan.scans // 4), k=plan.poison))
    began, submitted = time.monotonic(), {}
    for number in range(plan.scans):
        scan = Submitted(poison=number in poisonous, callback=number % 2 == 0)
        new = _new_scan(scan, located=number % 3 == 0)
        await _until_accepted(functools.partial(store.create, new, ""))
        notifier.wake(SCAN_KIND)
        submitted[new.scan_id] = scan
        due = began + plan.seconds * (number + 1) / plan.scans
        await asyncio.sleep(max(0.0, due - time.monotonic()))
    return submitted


def _new_scan(scan: Submitted, *, located: bool) -> NewScan:
    scan_id = str(uuid_utils.uuid7())
    url = "https://example.com/1.jpg"
    asked = ScanRequest(
        user_id=USER, request_id=scan_id, photo=url, user_input=POISON if scan.poison else "",
        location=_SEOUL if located else None, callback_url=CALLBACK if scan.callback else "",
    )  # fmt: skip
    return NewScan(scan_id, Photo(url), asked)


async def _settled(pool: asyncpg.Pool) -> None:
    """Waits until there is nothing left to do; or, so that it can be judged, no longer than a while."""
    live = "select exists (select from scan.job where state in ('READY', 'LEASED'))"
    deadline = time.monotonic() + _SETTLE_SECONDS
    while time.monotonic() < deadline:
        if not await _until_accepted(functools.partial(pool.fetchval, live)):
            return
        await asyncio.sleep(0.2)


async def _until_accepted(ask: Callable[[], Awaitable[T]]) -> T:
    while True:
        try:
            return await ask()
        except Exception as error:
            if outages.from_exception(error) is None:
                raise
            await asyncio.sleep(0.1)
