"""Client jobs among workers that die: what kills its worker is put aside, and nothing else is."""

from collections.abc import AsyncIterator

import asyncpg
import grpc
import pytest

from eco2.scan.v1 import operations_service_pb2 as pb
from mesh.postgres import open_pool
from scan_svc.client_jobs.client_jobs import ClientLease, Kind
from scan_svc.client_jobs.consumers import Suspects
from scan_svc.client_jobs.store import ClientJobStore
from scan_svc.jobs.periodic import Schedule
from scan_svc.jobs.quarantine import Quarantine
from scan_svc.jobs.workers import WorkerRegistry
from scan_svc.scans import State
from tests.integration.scan.client import Client, StartScanService
from tests.integration.scan.client_jobs.counting import Counting
from tests.integration.scan.client_jobs.jobs_client import JobsClient

LEASE_SECONDS = 15.0
CRASHES = 5


class Fleet:
    """Workers that take jobs as the service's own do, and die with them in hand.

    Args:
        pool: The service's tables.
    """

    def __init__(self, pool: asyncpg.Pool) -> None:
        self.pool = pool
        self.registry = WorkerRegistry(pool)
        self.store = ClientJobStore(pool)
        suspects = Suspects(self.store, Kind.MESSAGE)
        self._quarantine = Quarantine(suspects, Schedule(pool), LEASE_SECONDS, kind=Kind.MESSAGE)

    async def take(self) -> list[ClientLease]:
        """What a new worker gets: innocents, or else suspects."""
        worker_id = await self.registry.register()
        return await self.store.claim(Kind.MESSAGE, worker_id, 10) or list(await self._quarantine.claim(worker_id, 0))

    async def die(self) -> None:
        """All workers fall silent for longer than a lease; their jobs are taken back, and due at once."""
        await self.pool.execute("update scan.worker set beat_at = now() - interval '1 hour'")
        await self.registry.rescue_orphans(LEASE_SECONDS)
        await self.pool.execute("update scan.job set run_at = now() where state = 'READY'")


@pytest.fixture
async def fleet(database_url: str) -> AsyncIterator[Fleet]:
    """Workers of other processes."""
    async with open_pool(database_url) as pool:
        yield Fleet(pool)


@pytest.fixture
async def idle(start_scan_service: StartScanService) -> AsyncIterator[tuple[Client, JobsClient]]:
    """A user of a service that takes jobs, and does none itself."""
    async with (
        start_scan_service(job_types=Counting().types, scan_role="api") as client,
        grpc.aio.insecure_channel(client.target) as channel,
    ):
        yield client, JobsClient(client, channel)


async def test_a_poison_job_is_archived_and_the_one_beside_it_isnt(
    idle: tuple[Client, JobsClient], fleet: Fleet
) -> None:
    """Whatever kills its process must be found among the innocent, and harm five workers at most."""
    client, jobs = idle
    poison, innocent = (await jobs.remind()).job_id, (await jobs.remind()).job_id
    crashes = 0
    while crashes <= CRASHES and (leases := await fleet.take()):
        if not any(lease.job.job_id == poison for lease in leases):
            for lease in leases:
                await fleet.store.finish(lease, lease.job)
            continue
        crashes += 1
        await fleet.die()
    assert crashes == CRASHES
    ended = [(await fleet.store.get(job_id)).state for job_id in (poison, innocent)]
    assert ended == [State.FAILED, State.SUCCEEDED]
    request = pb.ListDeadLettersRequest(state=pb.DeadLetter.STATE_ARCHIVED)
    (letter,) = (await client.operations.ListDeadLetters(request)).dead_letters
    assert (letter.scan_id, letter.kind) == (poison, "message")
