"""What was paid for is stored once, whatever becomes of the write or of its answer."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
from msgspec.structs import replace

from mesh.postgres import Queries
from mesh.reasons import Reason
from scan_svc.jobs.leases import Checkpoint, Fenced
from scan_svc.jobs.queue import JobQueue
from scan_svc.mirrors.vision import Category, Classification
from scan_svc.scans import Scan, StageRun, State
from tests.integration.scan.jobs.writes import vision_done
from tests.support.scan.broken_pools import LosingPool
from tests.support.scan.fake_peers import METAL
from tests.support.scan.scan_parts import ScanParts


async def test_a_write_that_cant_be_stored_fails_alone(parts: ScanParts) -> None:
    """JSON in PostgreSQL has no NUL character; what was paid for beside it must be stored all the same."""
    leases = [await parts.held() for _ in range(5)]
    found = replace(vision_done(leases[2]), outputs={"vision": Classification(METAL, display_name="\0")})
    writes = [vision_done(lease) for lease in leases]
    writes[2] = found
    outcomes = await asyncio.gather(*map(parts.queue.checkpoint, writes), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [
        type(None), type(None), asyncpg.UntranslatableCharacterError, type(None), type(None)
    ]  # fmt: skip
    assert await parts.pool.fetchval("select count(*) from scan.stage_result") == 4


async def test_a_result_that_cant_be_stored_fails_its_scan(parts: ScanParts) -> None:
    """It is a fault of ours, explained like any other, and not a job that nobody works on any more."""

    async def unstorable(scan: Scan, deadline: float) -> AsyncIterator[Classification]:
        yield Classification(METAL, display_name="\0")

    parts.peers.classify = unstorable  # type: ignore[method-assign,assignment]
    async with parts.worker().working():
        scan = await parts.ended(await parts.submit())
    assert (scan.state, scan.error and scan.error.reason) == (State.FAILED, Reason.INTERNAL)


async def test_what_rules_know_better_than_vision_is_what_a_successor_goes_on_with(parts: ScanParts) -> None:
    """The user's words named another thing; the look at the photo, and what it cost, stay one run. Its neighbours in
    the same commit, and a late write of a former lease, change nothing of it.
    """
    leases = [await parts.held() for _ in range(2)]
    await asyncio.gather(*(parts.queue.checkpoint(vision_done(lease)) for lease in leases))
    named = Classification(Category("재활용폐기물", "전지"), provider="user")
    done = [Checkpoint(replace(lease, stage="rules"), lease.scan, "answer", {"rules": ()}, [StageRun("rules", 1, 1)])
            for lease in leases]  # fmt: skip
    done[0] = replace(done[0], revised={"vision": named})
    late = replace(done[0], lease=replace(done[0].lease, token=0), revised={"vision": Classification(METAL)})
    outcomes = await asyncio.gather(*map(parts.queue.checkpoint, [*done, late]), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [type(None), type(None), Fenced]
    await parts.lose_everybody()
    scans = {scan.scan_id: scan for scan in [(await parts.claimed()).scan for _ in leases]}
    assert scans[leases[0].scan.scan_id].results.vision == named
    assert scans[leases[1].scan.scan_id].results.vision == Classification(METAL)
    assert [run.stage for run in scans[leases[0].scan.scan_id].stages] == ["vision", "rules"]


async def test_a_checkpoint_that_is_cancelled_while_it_is_written_is_stored_once(parts: ScanParts) -> None:
    """The worker leaves while the database takes its time: what was paid for is stored before it is given back."""
    writing, written = asyncio.Event(), asyncio.Event()
    commit = parts.queue._checkpoints._commit

    async def slow(batch: Any) -> Any:
        writing.set()
        await written.wait()
        return await commit(batch)

    parts.queue._checkpoints._commit = slow
    await parts.submit()
    worker = parts.worker()
    async with worker.working():
        await writing.wait()
        asyncio.get_running_loop().call_later(1.0, written.set)  # longer than the grace of half a second
    assert (await parts.claimed()).stage == "rules"
    assert parts.peers.calls == {"vision": 1}


@pytest.mark.parametrize("statement", ["checkpoint", "finish"])
@pytest.mark.parametrize("committed", [True, False], ids=["committed", "lost"])
async def test_a_commit_without_an_answer_is_neither_repeated_nor_paid_again(
    parts: ScanParts, statement: str, committed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection broke at COMMIT: the result is kept in hand until its fate is known."""
    # A reward whose handover was lost with the answer is found by reconciling: here soon.
    monkeypatch.setattr("scan_svc.jobs.consumer._HANDOVER_SECONDS", 0.5)
    monkeypatch.setattr("scan_svc.jobs.consumer._RECONCILE_SECONDS", 0.5)
    losing: Any = LosingPool(parts.pool, Queries("scan_svc.jobs")[statement], committed=committed)
    parts.use(JobQueue(losing))
    scan_id = await parts.submit()
    async with parts.worker().working():
        scan = await parts.ended(scan_id)
    assert losing.broke
    assert scan.state is State.SUCCEEDED
    assert parts.peers.calls == {"vision": 1, "rules": 1, "answer": 1, "reward": 1}
    assert [run.stage for run in scan.stages] == ["vision", "rules", "answer", "reward"]
