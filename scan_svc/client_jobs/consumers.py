"""What a worker works on of client jobs: one consumer for each kind."""

import functools
from collections.abc import Callable, Sequence

from scan_svc.client_jobs.client_jobs import ClientLease
from scan_svc.client_jobs.execution import ClientContext, ClientExecution
from scan_svc.client_jobs.store import ClientJobStore
from scan_svc.client_jobs.work import JobType, JobTypes
from scan_svc.jobs.consumer import Consumer, JobKind
from scan_svc.jobs.periodic import Schedule
from scan_svc.jobs.quarantine import Quarantine
from scan_svc.jobs.user_shares import reserve_of
from scan_svc.jobs.workers import WorkerRegistry


class Suspects:
    """Those of one kind's jobs that may be what crashes workers.

    Args:
        store: The job table.
        kind: Which kind.
    """

    def __init__(self, store: ClientJobStore, kind: str) -> None:
        self._store = store
        self._kind = kind

    async def count_suspects(self) -> int:
        """How many are due that were in several crashes."""
        return await self._store.count_suspects(self._kind)

    async def claim_suspects(
        self, worker_id: int, count: int, least_crashes: int, most_crashes: int
    ) -> list[ClientLease]:
        """Takes up to `count` that are due and were in so many crashes."""
        return await self._store.claim(self._kind, worker_id, count, (), (least_crashes, most_crashes))


def consumers(
    context: ClientContext,
    types: JobTypes,
    workers: WorkerRegistry,
    schedule: Schedule,
    lease_seconds: float,
    wake: Callable[[str], None],
) -> Sequence[Consumer]:
    """One consumer for each kind of client jobs that is known here.

    Args:
        context: What all client jobs share.
        types: The kinds.
        workers: Who holds which jobs.
        schedule: Whose turn it is.
        lease_seconds: Silence after which a worker counts as dead.
        wake: Called with the kind of job there is to claim.
    """

    def one(kind: JobType) -> Consumer:
        name = kind.kind.value
        quarantine = Quarantine(Suspects(context.store, name), schedule, lease_seconds, context.meters, name)
        execute = functools.partial(ClientExecution, context, kind)
        claim = functools.partial(context.store.claim, name)
        reserve = reserve_of(kind.capacity)
        return Consumer(JobKind(name, kind.capacity, claim, execute, quarantine, reserve=reserve), workers, wake)

    return [one(kind) for kind in types]
