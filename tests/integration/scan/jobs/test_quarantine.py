"""A scan that was in several crashes runs where it can harm nobody, and not for ever."""

import asyncio
from collections.abc import Collection
from typing import Any

from scan_svc.jobs.leases import Lease
from scan_svc.scans import State
from tests.integration.scan.jobs.writes import vision_done
from tests.support.scan.scan_parts import ScanParts
from tests.support.waiting import eventually, true_of

POISON_CRASHES = 5


async def test_what_crashes_its_worker_five_times_is_archived_and_never_replayed(parts: ScanParts) -> None:
    """A poison scan must not take the service down for ever; what it has cost so far is explained, not tried again."""
    scan_id = await parts.submit()
    for _ in range(POISON_CRASHES):
        worker_id = await parts.registry.register()
        leases = await parts.queue.claim(worker_id, 1) or await parts.quarantine.claim(worker_id, 0)
        assert [lease.scan.scan_id for lease in leases] == [scan_id]
        assert leases[0].attempt == 1
        assert await parts.lose_everybody() == [scan_id]
    await parts.dead_letters.reprocess()
    worker_id = await parts.registry.register()
    assert await parts.queue.claim(worker_id, 1) == []
    assert await parts.quarantine.claim(worker_id, 0) == []
    assert await parts.pool.fetchval("select state from scan.job") == "ARCHIVED"
    assert (await parts.store.get(scan_id)).state is State.FAILED


async def test_a_stage_that_is_done_clears_a_scan_of_its_crashes(parts: ScanParts) -> None:
    """Crashes are counted stage by stage: an innocent that was often near one moves on and is out of suspicion."""
    await parts.submit()
    for _ in range(2):
        await parts.claimed()
        await parts.lose_everybody()
    (lease,) = await parts.quarantine.claim(await parts.registry.register(), 0)
    await parts.queue.checkpoint(vision_done(lease))
    assert await parts.pool.fetchval("select crashes from scan.job") == 0


async def test_a_suspect_runs_one_stage_with_nothing_beside_it(parts: ScanParts) -> None:
    """The worker lets its other scans end their stage and gives them back; the suspect's later stages run anywhere."""
    looking = asyncio.Event()
    seen: list[Any] = []

    async def look() -> None:
        if not seen:  # the innocent one, until the worker lets go of it
            seen.append(None)
            await looking.wait()
        else:
            seen.append(
                [(row["state"], row["stage"]) for row in await parts.pool.fetch("select * from scan.job order by id")]
            )

    parts.peers.before["vision"] = look
    innocent = await parts.submit()
    async with parts.worker().working():
        await eventually(lambda: true_of(parts.peers.calls["vision"] == 1))
        suspect = await parts.submit(crashes=2)
        await eventually(
            lambda: parts.pool.fetchval("select exists (select from scan.periodic where name = 'suspects')")
        )
        looking.set()
        ended = [await parts.ended(scan_id) for scan_id in (innocent, suspect)]
    assert seen == [None, [("READY", "rules"), ("LEASED", "vision")]]
    assert [scan.state for scan in ended] == [State.SUCCEEDED, State.SUCCEEDED]
    assert parts.peers.calls == dict.fromkeys(("vision", "rules", "answer", "reward"), 2)


async def test_what_was_archived_for_its_crashes_runs_again_when_a_person_replays_it(parts: ScanParts) -> None:
    """Its cause may be mended; until it has shown that, it runs alone."""
    scan_id = await parts.submit(crashes=POISON_CRASHES)
    await parts.pool.execute("update scan.job set state = 'ARCHIVED'")
    await parts.dead_letters.replay(scan_id)
    async with parts.worker().working():
        assert (await parts.ended(scan_id)).state is State.SUCCEEDED


async def test_no_suspect_runs_beside_one_that_must_be_alone(parts: ScanParts) -> None:
    """With few crashes a few run together, and others join them; with more nobody does."""
    for crashes in (2, 2, 2, 2, 2, 2, 3):
        await parts.submit(crashes=crashes)
    worker_id = await parts.registry.register()
    assert [lease.group_size for lease in await parts.quarantine.claim(worker_id, 0)] == [1]
    assert [lease.group_size for lease in await parts.quarantine.claim(worker_id, 0)] == [4, 4, 4, 4]
    assert await parts.quarantine.claim(worker_id, 4) == []
    assert [lease.group_size for lease in await parts.quarantine.claim(worker_id, 3)] == [4]


async def test_a_new_worker_looks_for_suspects_first(parts: ScanParts) -> None:
    """It has nothing to let go of yet; later it would have to wait for its other scans."""
    order: list[str] = []
    claim, claim_suspects = parts.queue.claim, parts.queue.claim_suspects

    async def claimed(worker_id: int, count: int, full: Collection[str] = (), **limits: Any) -> list[Lease]:
        order.append("others")
        return await claim(worker_id, count, full, **limits)

    async def claimed_suspects(worker_id: int, count: int, least_crashes: int, most_crashes: int) -> list[Lease]:
        order.append("suspects")
        return await claim_suspects(worker_id, count, least_crashes, most_crashes)

    parts.queue.claim, parts.queue.claim_suspects = claimed, claimed_suspects  # type: ignore[method-assign]
    scan_ids = [await parts.submit(), await parts.submit(crashes=2)]
    async with parts.worker().working():
        for scan_id in scan_ids:
            await parts.ended(scan_id)
    assert order[0] == "suspects"


async def test_a_suspect_isnt_claimed_among_the_innocent(parts: ScanParts) -> None:
    """What was in several crashes may be their cause: it is run where it can harm nobody."""
    scan_id = await parts.submit()
    for _ in range(2):
        await parts.queue.claim(await parts.registry.register(), 1)
        await parts.lose_everybody()
    worker_id, innocent = await parts.registry.register(), await parts.submit()
    assert [lease.scan.scan_id for lease in await parts.queue.claim(worker_id, 10)] == [innocent]
    assert [lease.scan.scan_id for lease in await parts.quarantine.claim(worker_id, 0)] == [scan_id]
