"""An operator who compares, over gRPC."""

from typing import Any

import grpc

from eco2.jobs.v1 import comparison_service_pb2 as pb
from eco2.jobs.v1 import comparison_service_pb2_grpc
from eco2.jobs.v1.comparison_pb2 import ScanComparison
from eco2.jobs.v1.job_pb2 import Job
from tests.support.waiting import eventually

ENDED = (Job.STATE_SUCCEEDED, Job.STATE_FAILED, Job.STATE_CANCELLED)


class Operator:
    """Asks for comparisons.

    Args:
        channel: To Scan.
    """

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self.stub: Any = comparison_service_pb2_grpc.ComparisonServiceStub(channel)

    async def begin(self, request_id: str = "", **spec: Any) -> Job:
        request = pb.CreateComparisonRequest(comparison=spec, request_id=request_id)
        return (await self.stub.CreateComparison(request)).comparison

    async def get(self, comparison_id: str) -> pb.GetComparisonResponse:
        return await self.stub.GetComparison(pb.GetComparisonRequest(comparison_id=comparison_id))

    async def compared(self, **spec: Any) -> pb.GetComparisonResponse:
        """A comparison once it has ended."""
        return await self.ended((await self.begin(**spec)).job_id)

    async def ended(self, comparison_id: str) -> pb.GetComparisonResponse:
        async def over() -> bool:
            return (await self.get(comparison_id)).comparison.state in ENDED

        await eventually(over)
        return await self.get(comparison_id)

    async def scans(self, comparison_id: str, **fields: Any) -> list[ScanComparison]:
        """All pages of it."""
        scans, token = [], ""
        while True:
            request = pb.ListComparedScansRequest(comparison_id=comparison_id, page_token=token, **fields)
            page = await self.stub.ListComparedScans(request)
            scans.extend(page.scans)
            token = page.next_page_token
            if not token:
                return scans
