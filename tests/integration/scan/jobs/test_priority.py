"""Batch scans give way to those for whom somebody waits, and are never left for good."""

import json
from pathlib import Path

import grpc
import pytest
import uuid_utils

from eco2.scan.v1 import operations_service_pb2 as operations
from eco2.scan.v1 import scan_service_pb2 as pb
from eco2.scan.v1.scan_service_pb2_grpc import ScanServiceStub
from mesh.errors import ResourceExhausted
from mesh.reasons import Reason
from scan_svc.admission import Admission, Backlog
from scan_svc.jobs.batch_share import BatchShare
from scan_svc.jobs.leases import Lease
from scan_svc.scans import NewScan, Photo, Priority, ScanRequest, State
from tests.integration.scan.client import StartScanService, reason
from tests.support.gates import Gate
from tests.support.mutual_tls import MutualTls
from tests.support.scan.scan_parts import ScanParts
from tests.support.waiting import eventually

URL = "https://example.com/1.jpg"
MANY = 500


class Queue:
    """The queue, as one worker claims from it."""

    def __init__(self, parts: ScanParts, worker_id: int, capacity: int = 2000) -> None:
        self.parts = parts
        self.worker_id = worker_id
        self.share = BatchShare(parts.queue, capacity)

    async def submit(self, user: str, priority: Priority, *, uploaded: bool = False) -> str:
        new = NewScan(
            str(uuid_utils.uuid7()),
            Photo(URL, content_type="image/jpeg" if uploaded else ""),
            ScanRequest(user_id=user, photo=URL, priority=priority),
        )
        await self.parts.store.create(new, "")
        return new.scan_id

    async def many(self, count: int = MANY, users: int = 1) -> None:
        """Batch scans in the table, as if so many had been created."""
        await self.parts.pool.execute(
            """with made as (
                   insert into scan.scan (id, user_id, payload_hash, state, version, image_url, object_key,
                                          content_type, size_bytes, sha256, user_input, region, locale, step,
                                          started_at, priority)
                   select uuidv7(), 'batch' || number % $2, '', 'QUEUED', 1, '', '', '', 0, '', '', '', 'ko', 'queue',
                          now(), -1
                   from generate_series(0, $1 - 1) as number
                   returning id, user_id
               )
               insert into scan.job (kind, ref, state, stage, user_id, priority, turn)
               select 'scan', id, 'READY', 'vision', user_id, -1, row_number() over (partition by user_id) from made""",
            count, users,
        )  # fmt: skip

    async def age(self, seconds: float = 3600.0) -> None:
        """All that waits has waited for longer."""
        await self.parts.pool.execute("update scan.job set run_at = run_at - make_interval(secs => $1)", seconds)

    async def claim(self, count: int) -> list[Lease]:
        """What a worker claims, and begins."""
        leases = await self.share.claim(self.worker_id, count)
        for lease in leases:
            self.share.begin(lease)
        return leases

    async def claimed(self, count: int) -> str:
        """The same, a letter each: batch or interactive."""
        return "".join("b" if lease.batch else "i" for lease in await self.claim(count))


@pytest.fixture
async def queue(parts: ScanParts) -> Queue:
    return Queue(parts, await parts.registry.register())


@pytest.mark.parametrize("aged", [False, True])
async def test_an_interactive_scan_behind_500_batch_scans_is_in_one_of_the_next_two_claims(
    queue: Queue, aged: bool
) -> None:
    """However long these have waited: alone it would be in the next one."""
    await queue.many()
    await queue.claim(8)
    if aged:
        await queue.age()
    await queue.submit("a", Priority.INTERACTIVE)
    assert "i" in await queue.claimed(1) + await queue.claimed(1)


async def test_interactive_scans_come_first_and_users_take_turns_in_each_priority(queue: Queue) -> None:
    """What came before them doesn't matter."""
    for user in "aab":
        await queue.submit(user, Priority.BATCH)
    for user in "ccd":
        await queue.submit(user, Priority.INTERACTIVE)
    order = [lease.user_id for _ in range(6) for lease in await queue.claim(1)]
    assert "".join(order) == "cdcaba"


@pytest.mark.parametrize("count", [1, 3, 8])
async def test_aged_batch_scans_are_taken_under_a_steady_stream_of_interactive_ones(queue: Queue, count: int) -> None:
    """Each within four scans taken for every one that waits before it, oldest first."""
    waiting = [await queue.submit(user, Priority.BATCH) for user in "xyz"]
    await queue.age()
    taken: list[Lease] = []
    while not set(waiting) <= {lease.scan.scan_id for lease in taken}:
        for number in range(count):
            await queue.submit(f"user {len(taken) + number}", Priority.INTERACTIVE)
        taken += await queue.claim(count)
    places = [place for place, lease in enumerate(taken, 1) if lease.batch]
    assert [lease.scan.scan_id for lease in taken if lease.batch] == waiting
    assert all(place <= 4 * (before + 1) + count for before, place in enumerate(places))


async def test_batch_scans_that_have_just_come_wait_for_interactive_ones(queue: Queue) -> None:
    """The share is for those that have waited."""
    await queue.many(20)
    for number in range(16):
        await queue.submit(f"user {number}", Priority.INTERACTIVE)
    assert "".join([await queue.claimed(2) for _ in range(8)]) == "i" * 16
    assert await queue.claimed(2) == "bb"


async def test_batch_scans_leave_a_quarter_of_a_worker_free(parts: ScanParts) -> None:
    """An interactive scan finds room at once, and when a batch scan has ended the next one begins."""
    parts.settings = parts.settings.model_copy(update={"worker_capacity": 8})
    queue = Queue(parts, await parts.registry.register())
    await queue.many(12, users=12)
    looking = parts.peers.before["vision"] = Gate()
    async with parts.worker().working():
        await looking.held(6)
        await queue.submit("a", Priority.INTERACTIVE)
        await looking.held(7)
        rows = await parts.pool.fetch(
            "select priority, count(*) from scan.job where kind = 'scan' and state = 'LEASED' group by 1 order by 1"
        )
        assert [tuple(row) for row in rows] == [(-1, 6), (0, 1)]
        looking.open()
        done = "select count(*) = 13 from scan.scan where state = 'SUCCEEDED'"
        await eventually(lambda: parts.pool.fetchval(done))


async def test_a_batch_scan_may_take_an_hour(parts: ScanParts, queue: Queue) -> None:
    """It gave way for longer than an interactive scan may take at all."""
    scan_ids = [await queue.submit("a", priority) for priority in Priority]
    await parts.pool.execute("update scan.scan set started_at = now() - interval '50 minutes'")
    async with parts.worker().working():
        states = {(scan := await parts.ended(scan_id)).priority: scan.state for scan_id in scan_ids}
    assert states == {Priority.BATCH: State.SUCCEEDED, Priority.INTERACTIVE: State.FAILED}


async def test_an_upload_keeps_its_priority_until_its_photo_comes(queue: Queue) -> None:
    """Its job is made then; and when a try fails or it is given back it is still what it was."""
    scan_id = await queue.submit("a", Priority.BATCH, uploaded=True)
    assert await queue.parts.store.start(scan_id, "")
    (lease,) = await queue.claim(1)
    assert lease.batch
    await queue.parts.queue.release(lease)
    await queue.submit("b", Priority.INTERACTIVE)
    assert await queue.claimed(1) + await queue.claimed(1) == "ib"


async def test_a_claim_of_aged_scans_reads_an_index_in_its_order(queue: Queue) -> None:
    """However many wait."""
    await queue.many(5000, users=50)
    await queue.parts.pool.execute("analyze scan.job")
    explain = f"explain (format json) {queue.parts.queue._claim_sql}"
    plan = await queue.parts.pool.fetchval(explain, queue.worker_id, 128, 0, 1, [], 32, 0.0, -1)
    parts = {node.get("Subplan Name"): node for node in _nodes(json.loads(plan)[0]["Plan"])}
    assert "job_claimable" in json.dumps(parts["CTE aged"])
    assert "job_turn" in json.dumps(parts["CTE ready"])
    assert not {"Sort", "Incremental Sort", "Seq Scan"} & {
        node["Node Type"]
        for part in ("CTE aged", "CTE ready")
        for node in _nodes(parts[part])
        if node.get("Relation Name") == "job" or "Sort" in str(node["Node Type"])
    }


@pytest.mark.parametrize("caller", ["edge", "batch", ""])
async def test_only_a_service_that_its_certificate_names_chooses_a_priority(
    start_scan_service: StartScanService, parts: ScanParts, tmp_path: Path, caller: str
) -> None:
    """Whoever calls at the edge would always be in a hurry; whom nobody knows isn't believed."""
    tls = MutualTls(tmp_path / "tls")
    secured = tls.settings("scan") if caller else {}
    request = pb.CreateScanRequest(image_url=URL, priority=pb.PRIORITY_BATCH)
    async with start_scan_service(scan_role="api", **secured) as client:
        channel = (
            tls.channel(caller, client.target, "eco2.scan.v1.ScanService")
            if caller
            else grpc.aio.insecure_channel(client.target)
        )
        async with channel:
            create = ScanServiceStub(channel).CreateScan(request, metadata=client.metadata)
            if caller == "batch":
                await create
            else:
                with pytest.raises(grpc.aio.AioRpcError) as refused:
                    await create
                assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
                assert reason(refused.value) == Reason.INVALID_FIELD
                assert "priority" in str(refused.value.trailing_metadata())
                assert str(refused.value.details()).endswith(": priority")
    priorities = [row["priority"] for row in await parts.pool.fetch("select priority from scan.job")]
    assert priorities == ([-1] if caller == "batch" else [])


class System:
    """What waits, as a test sets it, and 10 scans a second that leave."""

    def __init__(self, backlog: Backlog) -> None:
        self.backlog, self.now = backlog, 0.0
        longest = {Priority.INTERACTIVE: 60.0, Priority.BATCH: 1800.0}
        self.admission = Admission(self.count, longest, always=100, clock=lambda: self.now)

    async def count(self) -> Backlog:
        return self.backlog

    async def measured(self) -> Admission:
        for _ in range(20):
            self.now += 1
            self.admission.left(10)
            await self.admission.sample()
        return self.admission


async def test_batch_scans_arent_in_the_way_of_an_interactive_one() -> None:
    """5,000 of them take 500 s: a new one is taken, for half an hour may pass, and interactive ones don't care."""
    admission = await System(Backlog(0, 10, 5000, 5100)).measured()
    admission.check(Priority.INTERACTIVE)
    admission.check(Priority.BATCH)
    assert admission.wait(0.0, Priority.INTERACTIVE) == 0.0
    assert admission.wait(0.0, Priority.BATCH) == pytest.approx(500)


async def test_more_batch_scans_than_can_be_done_in_time_are_refused() -> None:
    """And only they: 20,000 take more than half an hour at ten a second."""
    admission = await System(Backlog(30, 60, 20_000, 20_000)).measured()
    admission.check(Priority.INTERACTIVE)
    with pytest.raises(ResourceExhausted):
        admission.check(Priority.BATCH)
    # A quarter of what is taken may be batch scans that have waited for long.
    assert admission.wait(0.0, Priority.INTERACTIVE) == pytest.approx(30 / 7.5)


async def test_interactive_scans_are_in_the_way_of_batch_scans() -> None:
    """They are taken before."""
    admission = await System(Backlog(1000, 1000, 10, 10)).measured()
    with pytest.raises(ResourceExhausted):
        admission.check(Priority.INTERACTIVE)
    assert admission.wait(0.0, Priority.BATCH) == pytest.approx(101)


async def test_operators_see_batch_scans_apart(start_scan_service: StartScanService, parts: ScanParts) -> None:
    """They wait on purpose: how long the oldest does is no sign of trouble."""
    queue = Queue(parts, 0)
    await queue.many(3)
    await queue.age()
    async with start_scan_service(scan_role="api") as client:
        stats = await client.operations.GetQueueStats(operations.GetQueueStatsRequest(), metadata=client.metadata)
    (vision,) = stats.stages
    assert (vision.ready, vision.batch_ready, vision.oldest_age.seconds) == (3, 3, 0)
    assert vision.batch_oldest_age.seconds >= 3600


def _nodes(plan: "dict[str, object]") -> "list[dict[str, object]]":
    inner = plan.get("Plans", [])
    assert isinstance(inner, list)
    return [plan, *(node for one in inner for node in _nodes(one))]
