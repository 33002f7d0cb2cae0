"""Users take turns: a scan waits for as many rounds as its own user has scans before it, and for no other user's."""

import asyncio
import json
from collections import Counter

import uuid_utils

from mesh.errors import Unavailable
from mesh.reasons import Reason
from scan_svc.jobs.leases import Lease
from scan_svc.ownership import Ownership
from scan_svc.scans import Failure, NewScan, Photo, ScanRequest
from tests.integration.scan.job_tables import Jobs
from tests.support.gates import Gate
from tests.support.scan.scan_parts import ScanParts
from tests.support.waiting import eventually

MANY = 500
URL = "https://example.com/1.jpg"
FAILURE = Failure.of(Unavailable(Reason.UNAVAILABLE, peer="model"))


def new_scan(user: str, *, uploaded: bool = False) -> NewScan:
    photo = Photo(URL, content_type="image/jpeg" if uploaded else "")
    return NewScan(str(uuid_utils.uuid7()), photo, ScanRequest(user_id=user, photo=URL))


class Queue:
    """The job queue, as several users and one worker see it."""

    def __init__(self, parts: ScanParts, worker_id: int) -> None:
        self.parts = parts
        self.worker_id = worker_id

    async def submit(self, users: str) -> None:
        """A scan for each letter, one after the other."""
        for user in users:
            await self.parts.store.create(new_scan(user), "")

    async def submit_at_once(self, user: str, count: int) -> None:
        """Several scans of one user, which share commits."""
        await asyncio.gather(*(self.parts.store.create(new_scan(user), "") for _ in range(count)))

    async def claim(self, count: int, full: str = "") -> list[Lease]:
        return await self.parts.queue.claim(self.worker_id, count, list(full))

    async def order(self, count: int) -> str:
        """Whose scans the next claims take, one at a time; `.` if there is none."""
        taken = [await self.claim(1) for _ in range(count)]
        return "".join(leases[0].user_id if leases else "." for leases in taken)

    async def due(self) -> None:
        """What waits for another try needn't wait any longer."""
        await self.parts.pool.execute("update scan.job set run_at = now() where state = 'READY' and run_at > now()")


async def queue(parts: ScanParts) -> Queue:
    return Queue(parts, await parts.registry.register())


async def test_a_neighbours_scan_is_in_the_next_claim(parts: ScanParts) -> None:
    """Behind five hundred of another user's, before and after some of them were claimed."""
    users = await queue(parts)
    await users.submit_at_once("a", MANY)
    await users.submit("b")
    assert Counter(lease.user_id for lease in await users.claim(8)) == {"a": 7, "b": 1}
    await users.submit("cbd")
    assert Counter(lease.user_id for lease in await users.claim(8)) == {"a": 5, "b": 1, "c": 1, "d": 1}


async def test_users_take_turns(parts: ScanParts) -> None:
    """Each has one in a round, whoever comes first is first in it."""
    users = await queue(parts)
    await users.submit("aaaaabbc")
    assert await users.order(9) == "abcabaaa."


async def test_users_with_one_scan_each_are_first_come_first_served(parts: ScanParts) -> None:
    """However much of the queue was worked off since the first of them came."""
    users = await queue(parts)
    await users.submit("aaaaa")
    assert await users.order(3) == "aaa"
    await users.submit("hfb")
    assert await users.order(3) == "ahf"
    await users.submit("gc")
    assert await users.order(5) == "bgca."


async def test_an_uploaded_scan_has_its_turn_when_it_is_started(parts: ScanParts) -> None:
    """Not when it was created: its photo came later."""
    users = await queue(parts)
    uploads = [new_scan("a", uploaded=True) for _ in range(3)]
    for upload in uploads:
        await parts.store.create(upload, "")
    for upload in reversed(uploads):
        assert await parts.store.start(upload.scan_id, "")
    await users.submit("b")
    assert await users.order(5) == "abaa."


async def test_another_try_waits_for_its_users_next_turn(parts: ScanParts) -> None:
    """Hundreds of tries that fail at once must not come before everybody."""
    users = await queue(parts)
    await users.submit("aaaa")
    for lease in await users.claim(3):
        await parts.queue.retry(lease, FAILURE, 0.0)
    await users.submit("bb")
    assert await users.order(7) == "ababaa."


async def test_what_waits_for_another_try_holds_up_no_round(parts: ScanParts) -> None:
    """Newcomers begin in the round that is being claimed, not in that of a try that is due in an hour."""
    users = await queue(parts)
    await users.submit("w")
    (waits,) = await users.claim(1)
    await parts.queue.retry(waits, FAILURE, 3600.0)
    await users.submit("cccccc")
    assert await users.order(3) == "ccc"
    await users.submit("d")
    assert await users.order(2) == "cd"
    await users.due()
    assert await users.order(2) == "wc"


async def test_rounds_go_on_while_nothing_is_due(parts: ScanParts) -> None:
    """A try that is due later waits for no more of those who came meanwhile than for one each."""
    users = await queue(parts)
    await users.submit("aaaaaa")
    leases = await users.claim(6)
    await users.submit("bbbb")
    await users.order(3)
    await parts.queue.retry(leases[0], FAILURE, 3600.0)
    assert await users.order(2) == "b."
    await users.submit("cccccc")
    await users.due()
    assert "a" in await users.order(2)


async def test_replayed_dead_letters_take_turns_too(parts: ScanParts) -> None:
    """An operator replays hundreds at once; so does housekeeping."""
    users = await queue(parts)
    await users.submit("aaaa")
    for lease in await users.claim(4):
        await parts.queue.fail(lease, FAILURE, replayable=True)
    await users.submit("b")
    await parts.dead_letters.reprocess()
    await users.submit("b")
    assert sorted(await users.order(2)) == ["a", "b"]
    assert sorted(await users.order(2)) == ["a", "b"]
    assert await users.order(3) == "aa."


async def test_jobs_given_back_keep_their_turn(parts: ScanParts) -> None:
    """A worker that leaves, or dies, costs nobody their place."""
    users = await queue(parts)
    await users.submit("aab")
    leases = await users.claim(2)
    for lease in leases:
        await parts.queue.release(lease)
    assert await users.order(4) == "aba."


async def test_a_user_who_has_enough_is_left_out(parts: ScanParts) -> None:
    """Whoever has all of a worker's room but the reserve."""
    users = await queue(parts)
    await users.submit("aaabac")
    assert [lease.user_id for lease in await users.claim(4, full="a")] == ["b", "c"]


async def test_a_guests_turns_become_those_of_the_user_they_signed_in_as(parts: ScanParts) -> None:
    """Else whoever signs in had two shares."""
    users = await queue(parts)
    await users.submit("gg")
    assert await Ownership(parts.pool).transfer("g", "u")
    await users.submit("bbu")
    assert await users.claim(9, full="bu") == []
    assert await users.order(5) == "ububu"


async def test_one_users_scans_leave_room_in_a_worker(parts: ScanParts) -> None:
    """A neighbour's begins beside them, and when one has ended, the next of them does."""
    parts.settings = parts.settings.model_copy(update={"worker_capacity": 8})
    looking = parts.peers.before["vision"] = Gate()
    users = Queue(parts, 0)
    await users.submit("a" * 12)
    worker = parts.worker()
    async with worker.working():
        await looking.held(6)
        await users.submit("b")
        await looking.held(7)
        held = await parts.pool.fetch(
            "select user_id, count(*) as count from scan.job where state = 'LEASED' group by 1 order by 1"
        )
        assert [tuple(row) for row in held] == [("a", 6), ("b", 1)]
        assert not worker.wake("scan"), "others may have room for more of a's"
        looking.open()
        done = "select count(*) = 13 from scan.scan where state = 'SUCCEEDED'"
        await eventually(lambda: parts.pool.fetchval(done))


async def test_a_claim_reads_the_index_in_its_order(parts: ScanParts) -> None:
    """However long the queue is: neither sorted nor read through."""
    users = await queue(parts)
    jobs = Jobs(parts.pool)
    await jobs.database.execute(
        """insert into scan.job (kind, ref, state, stage, user_id, turn, run_at)
           select 'scan', uuidv7(), 'READY', 'vision', number % 50, number / 50,
                  now() + make_interval(hours => (number % 4 = 0)::int)
           from generate_series(1, 5000) as number"""
    )
    await jobs.database.execute("analyze scan.job")
    claim = parts.queue._claim_sql
    for full in ([], ["1", "2"]):
        (plan,) = await jobs.database.fetchrow(
            f"explain (format json) {claim}", users.worker_id, 128, 0, 1, full, 0, 60.0, -1
        )
        nodes = _nodes(json.loads(plan)[0]["Plan"])
        (ready,) = (node for node in nodes if node.get("Subplan Name") == "CTE ready")
        nodes = _nodes(ready)
        assert "job_turn" in {node.get("Index Name") for node in nodes}
        assert not [node for node in nodes if node["Node Type"] in ("Sort", "Incremental Sort")]
        assert not [node for node in nodes if node["Node Type"] == "Seq Scan" and node["Relation Name"] == "job"]


def _nodes(plan: dict[str, object]) -> "list[dict[str, object]]":
    inner = plan.get("Plans", [])
    assert isinstance(inner, list)
    return [plan, *(node for one in inner for node in _nodes(one))]
