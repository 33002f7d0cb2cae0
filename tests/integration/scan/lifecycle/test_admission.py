"""Beyond capacity a new scan is refused at once, with the time to come back; what was accepted stays accepted."""

import asyncio
import uuid
from collections.abc import Callable
from contextlib import nullcontext

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2

from eco2.scan.v1 import scan_pb2
from eco2.scan.v1.scan_service_pb2 import CreateScanRequest
from mesh.errors import ResourceExhausted
from mesh.grpc.status import DETAILS_HEADER
from mesh.postgres import open_pool
from mesh.reasons import Reason
from scan_svc.admission import Admission, Backlog
from scan_svc.scans import Priority
from tests.integration.scan.client import Client, StartScanService, create, photo, reason
from tests.support.gates import Gate
from tests.support.scan.peer_servicers import Peers
from tests.support.waiting import eventually


def retry_delay(error: grpc.aio.AioRpcError) -> float:
    """Seconds of the RetryInfo; it must say the same as the header."""
    trailing = dict(error.trailing_metadata() or ())
    status = status_pb2.Status.FromString(trailing[DETAILS_HEADER])
    retry = error_details_pb2.RetryInfo()
    assert any(detail.Unpack(retry) for detail in status.details)
    assert float(trailing["retry-after"]) >= retry.retry_delay.ToTimedelta().total_seconds()
    return retry.retry_delay.ToTimedelta().total_seconds()


async def refused(client: Client, request: CreateScanRequest) -> grpc.aio.AioRpcError:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await client.stub.CreateScan(request, metadata=client.metadata)
    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    return caught.value


async def test_a_full_house_refuses_new_scans_but_no_repetitions(
    start_scan_service: StartScanService, peers: Peers
) -> None:
    """Whoever was let in and lost the answer gets it; so does whoever starts what is started."""
    peers.before["Classify"] = asyncio.Event().wait
    async with start_scan_service(admission_always=2, grace_seconds=0) as client:
        url = await photo(client)
        waiting = await client.create()
        (await client.put(waiting.upload)).raise_for_status()
        first = CreateScanRequest(image_url=url, request_id=uuid.uuid4().hex)
        created = await client.stub.CreateScan(first, metadata=client.metadata)
        second = await create(client, url)
        error = await refused(client, CreateScanRequest(image_url=url, request_id=uuid.uuid4().hex))
        assert reason(error) == Reason.SCAN_BACKLOG
        assert retry_delay(error) > 0
        again = await client.stub.CreateScan(first, metadata=client.metadata)
        assert again.scan.scan_id == created.scan.scan_id
        assert (await client.start(second)).scan_id == second
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await client.start(waiting.scan.scan_id)
        assert reason(caught.value) == Reason.SCAN_BACKLOG
        assert (await client.get(created.scan.scan_id)).scan_id == created.scan.scan_id


async def test_when_scans_get_done_there_is_room_again(start_scan_service: StartScanService, peers: Peers) -> None:
    hold = asyncio.Event()
    peers.before["Classify"] = hold.wait
    async with start_scan_service(admission_always=2) as client:
        url = await photo(client)
        for _ in range(2):
            await create(client, url)
        await refused(client, CreateScanRequest(image_url=url))
        hold.set()

        async def accepted() -> bool:
            try:
                await create(client, url)
            except grpc.aio.AioRpcError:
                return False
            return True

        await eventually(accepted)


async def test_whoever_is_refused_leaves_nothing_behind(
    start_scan_service: StartScanService, database_url: str
) -> None:
    """An endpoint is a row as well; a repetition of what was let in is told its secret again."""
    async with start_scan_service(admission_always=1, scan_role="api") as client:
        request = CreateScanRequest(image_url="https://example.com/1.jpg", request_id=uuid.uuid4().hex)
        request.callback_url = "https://example.com/let-in"
        created = await client.stub.CreateScan(request, metadata=client.metadata)
        await refused(
            client, CreateScanRequest(image_url=request.image_url, callback_url="https://example.com/refused")
        )
        again = await client.stub.CreateScan(request, metadata=client.metadata)
        assert again.webhook_secret == created.webhook_secret
    async with open_pool(database_url) as pool:
        endpoints = await pool.fetch("select url from scan.webhook_endpoint")
    assert [endpoint["url"] for endpoint in endpoints] == [request.callback_url]


async def test_a_queued_scan_tells_its_expected_wait(start_scan_service: StartScanService, peers: Peers) -> None:
    """From how fast others get done. One that isn't queued waits for nothing."""
    gate, quick = Gate(), iter(range(4))

    async def four_pass() -> None:
        if next(quick, None) is None:
            await gate()

    peers.before["Classify"] = four_pass
    async with start_scan_service(worker_capacity=2) as client:
        url = await photo(client)
        scan_ids = await asyncio.gather(*(create(client, url) for _ in range(12)))
        last = await create(client, url)

        async def told() -> bool:
            return (await client.get(last)).progress.expected_wait.ToMilliseconds() > 0

        await eventually(told)
        gate.open()
        done = await client.finished(scan_ids[0])
        assert done.state == scan_pb2.Scan.STATE_SUCCEEDED
        assert not (await client.get(scan_ids[0])).progress.HasField("expected_wait")


LONGEST = {Priority.INTERACTIVE: 60.0, Priority.BATCH: 1800.0}


class System:
    """A backlog and a clock that a test sets."""

    def __init__(self) -> None:
        self.backlog = Backlog(waiting=2000, in_system=3000)
        self.now = 0.0
        self.while_counting: Callable[[], None] = lambda: None
        self.admission = Admission(self.count, longest_seconds=LONGEST, always=1000, clock=lambda: self.now)

    async def count(self) -> Backlog:
        self.while_counting()
        return self.backlog

    async def sampled(self) -> None:
        """A second has passed since the last count began or ended."""
        self.now += 1
        await self.admission.sample()


@pytest.fixture
async def system() -> System:
    """3,000 in the system, 2,000 of them waiting."""
    system = System()
    await system.sampled()
    return system


@pytest.mark.parametrize(("a_second", "admitted"), [(100, True), (10, False), (0, False)])
async def test_the_limit_follows_the_measured_throughput(system: System, a_second: int, admitted: bool) -> None:
    """Little's law: 3,000 in the system stay for 30 s at 100 a second, and for 300 s at 10."""
    for _ in range(20):
        system.admission.left(a_second)
        await system.sampled()
    with nullcontext() if admitted else pytest.raises(ResourceExhausted):
        system.admission.check()


async def test_without_word_of_who_left_the_throughput_is_inferred(system: System) -> None:
    """Redis tells who left; without it, who entered and is no longer there has left."""
    for _ in range(20):
        for _ in range(100):
            system.admission.entered()
        await system.sampled()
    system.admission.check()
    assert system.admission.wait(so_far=5.0) == pytest.approx(15)


async def test_a_slow_count_makes_nothing_look_faster(system: System) -> None:
    """A loaded database takes seconds to count, just when it matters that too many aren't let in."""

    def three_seconds_pass() -> None:
        system.now += 3
        system.admission.left(30)

    system.while_counting = three_seconds_pass
    for _ in range(20):
        system.admission.left(10)
        await system.sampled()
    assert system.admission.wait(so_far=0.0) == pytest.approx(2000 / 10, rel=0.1)
    with pytest.raises(ResourceExhausted):
        system.admission.check()
