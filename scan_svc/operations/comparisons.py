"""ComparisonService over gRPC, for operators. The contract stands in `comparison_service.proto`."""

from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Any, TypeVar

from google.protobuf.empty_pb2 import Empty

from eco2.jobs.v1 import comparison_service_pb2 as pb
from eco2.jobs.v1 import comparison_service_pb2_grpc
from eco2.jobs.v1.job_pb2 import Job
from mesh.errors import NotFound
from mesh.grpc.identity import caller
from mesh.observability.telemetry import traceparent
from mesh.reasons import Reason
from scan_svc.client_jobs import wire as jobs_wire
from scan_svc.client_jobs.client_jobs import ClientJob, Kind
from scan_svc.client_jobs.service import ClientJobs
from scan_svc.client_jobs.work import JobTypes
from scan_svc.comparisons.comparisons import OPERATORS
from scan_svc.comparisons.store import ComparisonStore
from scan_svc.comparisons.work import Peers
from scan_svc.operations import audit
from scan_svc.operations import comparisons_wire as wire
from scan_svc.scan_proto import canonical, timestamp

_DEFAULT, _LIMIT = 50, 500

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Comparisons:
    """What comparisons are made of.

    Attributes:
        jobs: Comparisons are jobs of the operators.
        types: How they are shown.
        store: What they have found.
        peers: Who knows what can be compared.
    """

    jobs: ClientJobs
    types: JobTypes
    store: ComparisonStore
    peers: Peers


class ComparisonServicer(comparison_service_pb2_grpc.ComparisonServiceServicer):
    """Comparisons, which belong to all operators.

    Args:
        comparisons: What they are made of.
    """

    def __init__(self, comparisons: Comparisons) -> None:
        self._jobs = comparisons.jobs
        self._types = comparisons.types
        self._store = comparisons.store
        self._peers = comparisons.peers

    async def ListComparisonChoices(
        self, request: pb.ListComparisonChoicesRequest, context: Any
    ) -> pb.ListComparisonChoicesResponse:
        """What can be compared."""
        return pb.ListComparisonChoicesResponse(
            classifiers=await self._peers.classifiers(), rulebooks=await self._peers.rulebooks()
        )

    async def CreateComparison(self, request: pb.CreateComparisonRequest, context: Any) -> pb.CreateComparisonResponse:
        """Begins a comparison."""
        asked = wire.job_request(request, caller(context))
        job = (await self._jobs.create(asked, traceparent())).job
        audit.note(context, "comparison created", comparison_id=job.job_id)
        return pb.CreateComparisonResponse(comparison=self._shown(job, context))

    async def GetComparison(self, request: pb.GetComparisonRequest, context: Any) -> pb.GetComparisonResponse:
        """A comparison, with what it has found so far."""
        job = await self._found(request.comparison_id)
        return pb.GetComparisonResponse(
            comparison=self._shown(job, context),
            report=wire.from_report(await self._store.report(job.job_id)),
            wait_until_time=timestamp(await self._store.waits_until(job.job_id)),
        )

    async def ListComparisons(self, request: pb.ListComparisonsRequest, context: Any) -> pb.ListComparisonsResponse:
        """Comparisons, newest first."""
        jobs, following = await self._jobs.page(OPERATORS, Kind.COMPARISON.value, request.page_size, request.page_token)
        return pb.ListComparisonsResponse(
            comparisons=[self._shown(job, context) for job in jobs], next_page_token=following
        )

    async def ListComparedScans(
        self, request: pb.ListComparedScansRequest, context: Any
    ) -> pb.ListComparedScansResponse:
        """Scans that a comparison has looked at."""
        size, after = min(request.page_size or _DEFAULT, _LIMIT), wire.to_position(request.page_token)
        job = await self._found(request.comparison_id)
        records = await self._store.page(job.job_id, after, size + 1, differing=request.differing)
        return pb.ListComparedScansResponse(
            scans=[wire.from_record(record) for record in records[:size]],
            next_page_token=wire.from_position(records, size),
        )

    async def CancelComparison(self, request: pb.CancelComparisonRequest, context: Any) -> pb.CancelComparisonResponse:
        """Stops a comparison."""
        job = await _known(self._jobs.cancel(OPERATORS, canonical(request.comparison_id)), request.comparison_id)
        audit.note(context, "comparison cancelled", comparison_id=job.job_id)
        return pb.CancelComparisonResponse(comparison=self._shown(job, context))

    async def DeleteComparison(self, request: pb.DeleteComparisonRequest, context: Any) -> Empty:
        """Removes a comparison."""
        await _known(self._jobs.delete(OPERATORS, canonical(request.comparison_id)), request.comparison_id)
        audit.note(context, "comparison deleted", comparison_id=request.comparison_id)
        return Empty()

    async def _found(self, comparison_id: str) -> ClientJob:
        return await _known(self._jobs.get(OPERATORS, canonical(comparison_id)), comparison_id)

    def _shown(self, job: ClientJob, context: Any) -> Job:
        return jobs_wire.job(job, self._types, caller(context).reads(job.locale), None)


async def _known(asked: Awaitable[T], comparison_id: str) -> T:
    """What is asked of a comparison.

    Raises:
        NotFound: COMPARISON_NOT_FOUND.
    """
    try:
        return await asked
    except NotFound as error:
        raise NotFound(Reason.COMPARISON_NOT_FOUND, comparison_id=comparison_id) from error
