"""Client jobs that failed for good: what operators are shown of them, and another try from where they were."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import grpc
import pytest

from eco2.jobs.v1.job_pb2 import Job
from eco2.scan.v1 import operations_service_pb2 as pb
from mesh.errors import InvalidArgument, Unavailable, Unimplemented
from mesh.grpc.identity import USER_HEADER
from mesh.postgres import open_pool
from mesh.reasons import Reason
from scan_svc.client_jobs.work import Task
from scan_svc.jobs.dead_letters import DeadLetters
from scan_svc.jobs.notifier import Notifier
from tests.integration.scan.client import Client, StartScanService
from tests.integration.scan.client_jobs.counting import Counting
from tests.integration.scan.client_jobs.jobs_client import JobsClient, reached, refusal
from tests.support.waiting import eventually


class Trouble:
    """Lets no job past its second number, as long as it lasts; afterwards they wait there until they are let go."""

    def __init__(self) -> None:
        self.lasts: Exception | None = Unavailable(Reason.UNAVAILABLE, peer="somebody")
        self.reached = asyncio.Event()
        self.opened = asyncio.Event()

    async def __call__(self, task: Task, at: int) -> None:
        if at < 2:
            return
        if self.lasts:
            raise self.lasts
        self.reached.set()
        await self.opened.wait()


@pytest.fixture
def trouble() -> Trouble:
    """What befalls the jobs of these tests."""
    return Trouble()


@pytest.fixture
def counting(trouble: Trouble) -> Counting:
    """What jobs do in these tests."""
    return Counting(before=trouble)


@pytest.fixture
async def served(start_scan_service: StartScanService, counting: Counting) -> AsyncIterator[tuple[Client, JobsClient]]:
    """A user of a service that counts, and its operations."""
    async with (
        start_scan_service(job_types=counting.types) as client,
        grpc.aio.insecure_channel(client.target) as channel,
    ):
        yield client, JobsClient(client, channel)


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[asyncpg.Pool]:
    """The service's tables."""
    async with open_pool(database_url) as pool:
        yield pool


async def listed(client: Client, **wanted: Any) -> list[pb.DeadLetter]:
    """The dead letters that a filter means."""
    request = pb.ListDeadLettersRequest(**wanted)
    return list((await client.operations.ListDeadLetters(request)).dead_letters)


async def failed(jobs: JobsClient) -> str:
    """A job that has failed for good."""
    job_id = (await jobs.remind()).job_id
    assert (await jobs.ended(job_id)).state == Job.STATE_FAILED
    return job_id


async def test_a_dead_job_is_listed_as_what_it_is(served: tuple[Client, JobsClient]) -> None:
    """Whoever is woken at night must know its kind and error, and what else of this user died, but not who it is."""
    client, jobs = served
    job_id = await failed(jobs)
    (letter,) = await listed(client, stage="run")
    assert (letter.scan_id, letter.kind, letter.stage) == (job_id, "message", "run")
    assert (letter.attempts, letter.replays, letter.state) == (3, 0, pb.DeadLetter.STATE_DEAD)
    assert letter.error.details
    assert letter.user
    assert letter.user != dict(jobs.metadata)[USER_HEADER]
    assert await listed(client, stage="vision") == []


async def test_a_peer_of_the_release_before_costs_no_job(served: tuple[Client, JobsClient], trouble: Trouble) -> None:
    """While pods are replaced one may not know a call yet: the job isn't set aside, but replayed by itself."""
    client, jobs = served
    trouble.lasts = Unimplemented(Reason.NOT_IMPLEMENTED, feature="ExtractFrames")
    job_id = await failed(jobs)
    (letter,) = await listed(client)
    assert (letter.scan_id, letter.state) == (job_id, pb.DeadLetter.STATE_DEAD)


async def test_a_replayed_job_goes_on_from_its_cursor(
    served: tuple[Client, JobsClient], counting: Counting, trouble: Trouble, pool: asyncpg.Pool
) -> None:
    """What was done and paid for isn't done again, its user sees at once that it goes on, and the log tells it."""
    client, jobs = served
    job_id = await failed(jobs)
    trouble.lasts = None
    assert (await client.operations.ReplayScan(pb.ReplayScanRequest(scan_id=job_id))).stage == "run"
    shown = await jobs.get(job_id)
    assert shown.state in (Job.STATE_QUEUED, Job.STATE_RUNNING)
    assert (shown.done, shown.HasField("error"), shown.HasField("finish_time")) == (2, False, False)
    await reached(trouble.reached)
    assert await listed(client) == []
    trouble.opened.set()
    ended = await jobs.ended(job_id)
    assert (ended.state, ended.cost_micro_usd, ended.version > shown.version) == (Job.STATE_SUCCEEDED, 30, True)
    assert counting.counted == [0, 1, 2]
    told = await pool.fetch("select type from scan.event where aggregateid = $1 order by id", job_id)
    types = [row["type"] for row in told]
    assert types.index("eco2.message.failed") < types.index("eco2.message.replayed")
    assert types[-1] == "eco2.message.succeeded"


async def test_a_job_that_no_replay_mends_is_archived_after_the_third(
    served: tuple[Client, JobsClient], pool: asyncpg.Pool
) -> None:
    """Nothing loops for ever; and a person may still try it again."""
    client, jobs = served

    async def nobody(_: str) -> None:
        """Isn't told."""

    letters = DeadLetters(pool, nobody, Notifier(pool).wake)
    job_id = await failed(jobs)
    for replays in range(1, 4):
        await letters.reprocess()

        async def dead_again(replays: int = replays) -> bool:
            return [one.replays for one in await listed(client)] == [replays]

        await eventually(dead_again)
    await letters.reprocess()
    assert await listed(client) == []
    (archived,) = await listed(client, state=pb.DeadLetter.STATE_ARCHIVED)
    assert (archived.scan_id, archived.kind, archived.replays) == (job_id, "message", 3)
    assert (await jobs.get(job_id)).state == Job.STATE_FAILED


async def test_what_is_archived_waits_for_a_person(
    served: tuple[Client, JobsClient], trouble: Trouble, pool: asyncpg.Pool
) -> None:
    """Because no try could mend it, or since somebody said so; a deleted one is no letter any more."""
    client, jobs = served
    set_aside = await failed(jobs)
    for _ in range(2):
        reply = await client.operations.ArchiveScan(pb.ArchiveScanRequest(scan_id=set_aside))
        assert (reply.dead_letter.scan_id, reply.dead_letter.kind) == (set_aside, "message")
        assert reply.dead_letter.state == pb.DeadLetter.STATE_ARCHIVED
    trouble.lasts = InvalidArgument(Reason.INVALID_FIELD, field="spec")
    hopeless = await failed(jobs)
    archived = await listed(client, state=pb.DeadLetter.STATE_ARCHIVED)
    assert [one.scan_id for one in archived] == [set_aside, hopeless]
    await jobs.delete(set_aside)
    gone = client.operations.ReplayScan(pb.ReplayScanRequest(scan_id=set_aside))
    assert await refusal(gone) == (grpc.StatusCode.NOT_FOUND, Reason.DEAD_LETTER_NOT_FOUND)
    trouble.lasts = None
    trouble.opened.set()
    await client.operations.ReplayScan(pb.ReplayScanRequest(scan_id=hopeless))
    assert (await jobs.ended(hopeless)).state == Job.STATE_SUCCEEDED
