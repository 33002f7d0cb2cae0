"""The reward's job at single moments: made with the end of the scan, run once, by whichever release."""

import asyncio
from typing import Any

import pytest
from msgspec.structs import replace

from mesh.postgres import Queries
from mesh.redis import open_redis
from scan_svc.jobs.leases import Checkpoint, Fenced, Lease
from scan_svc.mirrors.character import Reward, RewardOutcome
from scan_svc.mirrors.rules import Answer, DisposalRule
from scan_svc.mirrors.vision import Classification
from scan_svc.progress.encoder import SnapshotEncoder
from scan_svc.progress.keys import ENDED_MARK, ScanKeys
from scan_svc.progress.reader import ScanReader
from scan_svc.progress.snapshots import Snapshots
from scan_svc.results import Results
from scan_svc.rewards.store import RewardStore
from scan_svc.scans import Scan, StageRun, State
from tests.support.scan.broken_pools import LosingPool
from tests.support.scan.fake_peers import METAL
from tests.support.scan.scan_parts import ScanParts
from tests.support.waiting import eventually

pytestmark = pytest.mark.redis_shapes

FOUND, RULES, ANSWER = Classification(METAL), (DisposalRule("metal", METAL),), Answer("비우고 내놓아요.")
PARTS = {"vision": FOUND, "rules": RULES, "answer": ANSWER}
REWARD = Reward(RewardOutcome.GRANTED)
RUN = StageRun("reward", 1, 1)


def end_of(lease: Lease) -> Checkpoint:
    """The answer of a scan, which has the stages before in hand."""
    runs = tuple(StageRun(name, 1, 1) for name in PARTS)
    scan = replace(lease.scan, version=lease.scan.version + 1, results=Results(**PARTS), stages=runs)
    return Checkpoint(lease, scan, "", {}, ())


async def finished(parts: ScanParts) -> str:
    """A scan that has succeeded, with its reward to be claimed."""
    lease = await parts.held()
    await parts.queue.finish(end_of(lease))
    return lease.scan.scan_id


async def claimed(parts: ScanParts) -> Any:
    (lease,) = await parts.rewards.claim(await parts.registry.register(), 1)
    return lease


async def test_a_scan_that_the_release_before_left_at_its_reward_succeeds(parts: ScanParts) -> None:
    """All its results are stored; none is paid for again."""
    lease = await parts.held()
    for name, following in (("vision", "rules"), ("rules", "answer"), ("answer", "reward")):
        run = [StageRun(name, 1, 1)]
        await parts.queue.checkpoint(Checkpoint(lease, lease.scan, following, {name: PARTS[name]}, run))
        lease = replace(lease, stage=following)
    await parts.queue.release(lease)
    async with parts.worker().working():
        scan = await parts.ended(lease.scan.scan_id)
    assert (scan.state, scan.results.answer, scan.results.reward) == (State.SUCCEEDED, ANSWER, REWARD)
    assert [run.stage for run in scan.stages] == ["vision", "rules", "answer", "reward"]
    assert parts.peers.calls == {"reward": 1}


async def test_the_job_is_made_by_the_commit_that_ends_the_scan(parts: ScanParts) -> None:
    """Of a late write neither; and a scan that has its reward already needs no job."""
    late = await parts.held()
    await parts.lose_everybody()
    with pytest.raises(Fenced):
        await parts.queue.finish(end_of(late))
    assert await parts.pool.fetchval("select count(*) from scan.job where kind = 'reward'") == 0
    lease = await parts.claimed()
    write = end_of(lease)
    rich = replace(write.scan, results=replace(write.scan.results, reward=REWARD))
    assert (await parts.queue.finish(replace(write, scan=rich))).reward_job_id is None
    assert await parts.pool.fetchval("select count(*) from scan.job") == 0


async def test_a_reward_whose_commit_was_answered_by_silence_is_stored_once(parts: ScanParts) -> None:
    """Its grant may be repeated under the same id; the scan gets one version more."""
    pool = LosingPool(parts.pool, Queries("scan_svc.rewards")["finish"], committed=True)
    parts.rewards = RewardStore(pool)
    scan_id = await finished(parts)
    before = await parts.store.get(scan_id)
    async with parts.worker().working():
        scan = await parts.ended(scan_id)
    assert pool.broke
    assert (scan.version, scan.results.reward) == (before.version + 1, REWARD)
    assert parts.peers.calls == {"reward": 1}


async def test_a_reward_whose_worker_was_killed_is_evaluated_again_and_stored_once(parts: ScanParts) -> None:
    """Character grants once a scan; the late write of the first worker changes nothing."""
    scan_id = await finished(parts)
    first = await claimed(parts)
    assert await parts.lose_everybody() == []
    assert (await parts.store.get(scan_id)).state is State.SUCCEEDED
    second = await claimed(parts)
    assert await parts.rewards.finish(first, REWARD, RUN) is None
    assert not await parts.rewards.holds_lease(first)
    assert await parts.rewards.finish(second, REWARD, RUN) == second.scan.version + 1
    assert await parts.rewards.finish(second, REWARD, RUN) is None
    assert await parts.pool.fetchval("select count(*) from scan.job") == 0


async def test_a_reward_that_was_in_five_crashes_is_archived_and_its_scan_stays(parts: ScanParts) -> None:
    """Nothing takes workers down for ever, and no scan fails for its reward."""
    scan_id = await finished(parts)
    for _ in range(5):
        await claimed(parts)
        await parts.lose_everybody()
    assert await parts.pool.fetchval("select state from scan.job where kind = 'reward'") == "ARCHIVED"
    assert (await parts.store.get(scan_id)).state is State.SUCCEEDED


async def test_a_reward_whose_scan_has_changed_meanwhile_is_evaluated_anew(parts: ScanParts) -> None:
    """A reply made another answer of it: what was evaluated on the old one isn't stored."""
    scan_id = await finished(parts)
    changed = "update scan.scan set version = version + 1 where id = $1"

    async def change() -> None:
        if parts.peers.calls["reward"] == 1:
            await parts.pool.execute(changed, scan_id)

    parts.peers.before["reward"] = change
    before = await parts.store.get(scan_id)
    async with parts.worker().working():
        scan = await parts.ended(scan_id)
    assert (scan.version, parts.peers.calls["reward"]) == (before.version + 2, 2)


async def test_a_result_without_its_reward_isn_t_the_last_word(parts: ScanParts, redis_url: str) -> None:
    """The process that stored the reward may have died before Redis heard of it: results live there for a day."""
    scan_id = await finished(parts)
    await parts.progress.reader.refresh(scan_id)
    lease = await claimed(parts)
    await parts.rewards.finish(lease, REWARD, RUN)
    loop = asyncio.get_running_loop()
    async with open_redis(redis_url) as redis:
        snapshots = Snapshots(redis, SnapshotEncoder(), clock=lambda: loop.time() + 10**10)
        read = await ScanReader(snapshots, parts.store.get_many, asyncio.Event().wait).read(scan_id)
    assert read.version == lease.scan.version + 1


async def test_a_scan_that_gets_its_reward_ends_once_for_those_who_count(parts: ScanParts, redis_url: str) -> None:
    """Admission measures how fast scans get done: counted twice, twice as many would be let in."""
    scan_id = await finished(parts)
    scan = await parts.store.get(scan_id)
    heard: list[str] = []

    def hear(message: bytes | None) -> None:
        heard.extend(word for word in (message or b"").decode().split(" ") if scan_id in word)

    async with open_redis(redis_url) as redis, redis.subscribed(ScanKeys(redis.sharded).channels) as changes:
        rich = replace(scan, version=scan.version + 1, results=replace(scan.results, reward=REWARD))
        for one in (scan, rich):
            await parts.progress.snapshots.publish(one)
        async with asyncio.timeout(60):
            await changes.listen(hear, lambda: len(heard) < 2)
    assert heard == [scan_id + ENDED_MARK, scan_id]


async def test_a_worker_without_room_leaves_rewards_to_others(parts: ScanParts) -> None:
    """Places that were kept are given back."""
    gate = asyncio.Event()
    parts.peers.before["reward"] = gate.wait
    parts.settings = parts.settings.model_copy(update={"reward_capacity": 2})
    scan_ids = [await parts.submit() for _ in range(5)]
    async with parts.worker().working():

        async def answered() -> bool:
            scans = [await parts.store.get(scan_id) for scan_id in scan_ids]
            return all(scan.state is State.SUCCEEDED for scan in scans)

        await eventually(answered)
        states = await parts.pool.fetch("select state from scan.job where kind = 'reward' order by state")
        assert [row["state"] for row in states] == ["LEASED"] * 2 + ["READY"] * 3
        gate.set()
        scans: list[Scan] = [await parts.ended(scan_id) for scan_id in scan_ids]
    assert {scan.results.reward for scan in scans} == {REWARD}
    assert parts.peers.calls["reward"] == 5
