"""How work spreads over several workers: while one is idle, none takes more than its share."""

import asyncio
import functools
from collections import Counter
from collections.abc import AsyncIterator, Collection
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest

from scan_svc.jobs.leases import SCAN_KIND, Lease
from scan_svc.jobs.notifier import Notifier
from scan_svc.jobs.worker import Worker, open_worker
from tests.support.scan.scan_parts import ScanParts
from tests.support.waiting import eventually

JOBS = 60


class Site:
    """Several workers on one database, each with a notifier, as processes have them.

    Args:
        parts: What they share.
        database_url: Where they listen.
    """

    def __init__(self, parts: ScanParts, database_url: str) -> None:
        self.parts = parts
        self.claims: Counter[int] = Counter()
        self._database_url = database_url
        claim = parts.queue.claim

        async def counted(worker_id: int, count: int, full: Collection[str] = (), **limits: Any) -> list[Lease]:
            leases = await claim(worker_id, count, full, **limits)
            self.claims[worker_id] += len(leases)
            return leases

        parts.queue.claim = counted  # type: ignore[method-assign]

    @asynccontextmanager
    async def working(self, count: int) -> AsyncIterator[list[Notifier]]:
        """So many workers at work, by their notifiers."""
        async with AsyncExitStack() as stack:
            notifiers = [Notifier(self.parts.pool) for _ in range(count)]
            for notifier in notifiers:
                worker: Worker = self.parts.worker(notifier.wake)
                await stack.enter_async_context(
                    open_worker(worker, notifier, self._database_url, self.parts.progress.log.ask)
                )
            await self._until("select count(*) from scan.worker", count)
            yield notifiers

    async def submit_at_once(self) -> None:
        """Jobs that are all there at one moment."""
        for _ in range(JOBS):
            await self.parts.submit(later=True)
        await self.parts.pool.execute("update scan.job set run_at = now()")

    async def done(self) -> None:
        """Waits until every job has been claimed and has ended."""
        await self._until("select count(*) from scan.scan where state = 'SUCCEEDED'", JOBS)

    async def _until(self, query: str, count: int) -> None:
        async def reached() -> bool:
            return bool(await self.parts.pool.fetchval(query) == count)

        await eventually(reached)


@pytest.fixture
def site(parts: ScanParts, database_url: str) -> Site:
    """No workers yet."""
    return Site(parts, database_url)


@pytest.fixture
def look(site: Site) -> asyncio.Event:
    """Until it is set no photo has been looked at, so nobody gets room by being quick."""
    looking = asyncio.Event()
    site.parts.peers.before["vision"] = looking.wait
    return looking


async def test_two_idle_workers_share_what_comes_at_once(site: Site, look: asyncio.Event) -> None:
    """Sixty jobs that were due at once went to one of them: 59 to 1."""
    async with site.working(2):
        elsewhere = Notifier(site.parts.pool)
        await site.submit_at_once()
        elsewhere.wake(SCAN_KIND)
        await eventually(functools.partial(_reached, site, JOBS))
        look.set()
        await site.done()
    assert min(site.claims.values()) >= JOBS / 4
    assert len(site.claims) == 2


async def test_a_worker_that_finds_a_backlog_tells_idle_ones(site: Site, look: asyncio.Event) -> None:
    """Whoever polls first needn't take it all: nobody was notified of these."""
    await site.submit_at_once()
    async with site.working(2):
        await eventually(functools.partial(_reached, site, JOBS))
        look.set()
        await site.done()
    assert min(site.claims.values()) >= JOBS / 4
    assert len(site.claims) == 2


async def test_a_busy_process_doesnt_keep_for_itself_what_its_users_create(site: Site, look: asyncio.Event) -> None:
    """Its own worker is woken without a notification, so that one process did 90 % of the work of two."""
    async with site.working(2) as (one, _):
        for number in range(JOBS):
            await site.parts.submit()
            one.wake(SCAN_KIND)
            await eventually(functools.partial(_reached, site, number + 1))
        look.set()
        await site.done()
    assert min(site.claims.values()) >= JOBS / 4
    assert len(site.claims) == 2


async def test_a_worker_alone_takes_all_it_has_room_for_at_once(site: Site) -> None:
    """Sharing costs statements: with nobody to share with there is one."""
    claims = 0
    claim = site.parts.queue.claim

    async def counted(worker_id: int, count: int, full: Collection[str] = (), **limits: Any) -> list[Lease]:
        nonlocal claims
        leases = await claim(worker_id, count, full, **limits)
        claims += bool(leases)
        return leases

    site.parts.queue.claim = counted  # type: ignore[method-assign]
    async with site.working(1) as (own,):
        await eventually(lambda: _idle(site))
        await site.submit_at_once()
        claims = 0
        own.wake(SCAN_KIND)
        await site.done()
    assert claims <= 2


async def _reached(site: Site, count: int) -> bool:
    return site.claims.total() >= count


async def _idle(site: Site) -> bool:
    return not await site.parts.pool.fetchval("select count(*) from scan.job")
