"""What cost nothing is stored with the next result: a commit less if all goes well, and nothing lost if it doesn't."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from mesh.errors import Unavailable
from mesh.reasons import Reason
from scan_svc.mirrors.rules import DisposalRule, MatchedRules
from scan_svc.mirrors.vision import Classification
from scan_svc.scans import Scan, State
from tests.support.gates import Gate
from tests.support.scan.fake_peers import METAL
from tests.support.scan.scan_parts import ScanParts
from tests.support.waiting import eventually


async def stored(parts: ScanParts) -> tuple[str, list[str]]:
    """At which stage the database has the one job, and whose results."""
    stages = await parts.pool.fetch("select stage from scan.stage_result order by finished_at")
    return await parts.pool.fetchval("select stage from scan.job where kind = 'scan'"), [row["stage"] for row in stages]


@pytest.fixture
async def answering(parts: ScanParts) -> AsyncIterator[tuple[Gate, str]]:
    """A scan whose answer is being written, until the gate opens; and its id."""
    gate = parts.peers.before["answer"] = Gate()
    async with AsyncExitStack() as stack:
        scan_id = await parts.submit()
        await stack.enter_async_context(parts.worker().working())
        await gate.held(1)
        yield gate, scan_id
        gate.open()


async def test_a_scan_that_runs_through_stores_its_rules_with_its_answer(
    parts: ScanParts, answering: tuple[Gate, str]
) -> None:
    """They are shown meanwhile; what was paid for is stored before the next stage begins."""
    gate, scan_id = answering
    assert await stored(parts) == ("rules", ["vision"])

    async def shown() -> bool:
        snapshot = await parts.progress.snapshots.read(scan_id)
        return snapshot is not None and b"metal" in snapshot.body

    await eventually(shown)
    gate.open()
    scan = await parts.ended(scan_id)
    assert scan.state is State.SUCCEEDED
    assert scan.results.rules == (DisposalRule("metal", METAL),)
    assert [run.stage for run in scan.stages] == ["vision", "rules", "answer", "reward"]


async def test_whoever_asks_the_database_finds_all_that_was_shown(
    parts: ScanParts, answering: tuple[Gate, str]
) -> None:
    """As once Redis is lost: what was held is stored, and then the worker says that readers may believe the rows."""
    _, scan_id = answering
    parts.progress.log.ask()

    async def believable() -> bool:
        return not (await parts.store.get(scan_id)).behind

    await eventually(believable)
    assert await stored(parts) == ("answer", ["vision", "rules"])
    assert (await parts.store.get(scan_id)).results.rules == (DisposalRule("metal", METAL),)


async def test_nothing_is_held_while_progress_is_stored(parts: ScanParts) -> None:
    """From the moment in which somebody has asked, results are stored as they come."""
    rules, answer = Gate(), Gate()
    parts.peers.before |= {"rules": rules, "answer": answer}
    scan_id = await parts.submit()
    async with parts.worker().working():
        await rules.held(1)
        parts.progress.log.ask()

        async def believable() -> bool:
            return not (await parts.store.get(scan_id)).behind

        await eventually(believable)
        rules.open()

        async def all_stored() -> bool:
            return await stored(parts) == ("answer", ["vision", "rules"])

        await eventually(all_stored)
        answer.open()
        assert (await parts.ended(scan_id)).state is State.SUCCEEDED


async def test_what_was_held_is_stored_before_a_failed_stage_is_tried_again(parts: ScanParts) -> None:
    """The job waits for another try of that very stage, which the ones before needn't run for again."""

    async def fail() -> None:
        raise Unavailable(Reason.UNAVAILABLE, peer="rules", retry_after=60.0)

    parts.peers.before["answer"] = fail
    await parts.submit()
    async with parts.worker().working():

        async def put_back() -> bool:
            return bool(await parts.pool.fetchval("select state = 'READY' and step = 'retry' from scan.job"))

        await eventually(put_back)
    assert await stored(parts) == ("answer", ["vision", "rules"])


async def test_what_was_held_is_stored_before_a_scan_is_given_back(parts: ScanParts) -> None:
    """A worker that leaves lets nobody do again what it has done."""
    gate = parts.peers.before["answer"] = Gate()
    await parts.submit()
    async with parts.worker().working():
        await gate.held(1)
    assert await stored(parts) == ("answer", ["vision", "rules"])
    assert await parts.pool.fetchval("select state from scan.job") == "READY"


async def test_a_worker_that_dies_loses_only_what_cost_nothing(parts: ScanParts) -> None:
    """Another one matches the rules again; vision, which was paid for, isn't asked twice."""
    lost = Gate()
    parts.peers.before["answer"] = lost
    scan_id = await parts.submit()
    async with parts.worker().working():
        await lost.held(1)
        del parts.peers.before["answer"]
        await parts.lose_everybody()
        async with parts.worker().working():
            scan = await parts.ended(scan_id)
        lost.open()
    assert scan.state is State.SUCCEEDED
    assert parts.peers.calls["vision"] == 1
    assert parts.peers.calls["rules"] == 2


async def test_a_held_result_that_cant_be_stored_fails_its_own_stage(
    parts: ScanParts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PostgreSQL's jsonb takes no NUL character. The next stage is paid for once, not for each try."""

    async def match(_: Scan, found: Classification, *__: object) -> MatchedRules:
        return MatchedRules(found, (DisposalRule("metal", METAL, title="\0"),))

    monkeypatch.setattr(parts.peers, "match", match)
    async with parts.worker().working():
        scan = await parts.ended(await parts.submit())
    assert scan.state is State.FAILED
    assert scan.error is not None
    assert scan.error.reason == Reason.INTERNAL
    assert await parts.pool.fetchval("select stage from scan.job") == "rules"
    assert parts.peers.calls["answer"] == 1
