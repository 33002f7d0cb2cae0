"""Comparisons over gRPC, at Scan's own port, as operations."""

from collections.abc import Iterator
from typing import Any, TypeVar

import grpc

from eco2.jobs.v1 import comparison_service_pb2 as pb
from eco2.jobs.v1 import comparison_service_pb2_grpc
from eco2.jobs.v1.comparison_pb2 import ComparisonSpec, ScanComparison
from eco2.jobs.v1.job_pb2 import Job
from local.cli.api.grpc import answered
from mesh.locale import Locale

_SECONDS = 15.0
_PAGE = 500

Q = TypeVar("Q")
A = TypeVar("A")


class ComparisonsClient:
    """Calls ComparisonService.

    Args:
        channel: To Scan itself.
        locale: Language of errors and messages.
    """

    def __init__(self, channel: grpc.Channel, locale: Locale) -> None:
        self._stub = comparison_service_pb2_grpc.ComparisonServiceStub(channel)
        self._metadata = (("accept-language", str(locale)),)
        self._locale = locale

    def choices(self) -> pb.ListComparisonChoicesResponse:
        """What can be compared."""
        return self._ask(self._stub.ListComparisonChoices, pb.ListComparisonChoicesRequest())

    def create(self, **spec: Any) -> Job:
        """Begins a comparison."""
        return self._ask(
            self._stub.CreateComparison, pb.CreateComparisonRequest(comparison=ComparisonSpec(**spec))
        ).comparison

    def get(self, comparison_id: str) -> pb.GetComparisonResponse:
        """A comparison, with what it has found so far."""
        return self._ask(self._stub.GetComparison, pb.GetComparisonRequest(comparison_id=comparison_id))

    def page(self, page_size: int) -> pb.ListComparisonsResponse:
        """The newest comparisons."""
        return self._ask(self._stub.ListComparisons, pb.ListComparisonsRequest(page_size=page_size))

    def scans(self, comparison_id: str, *, differing: bool) -> Iterator[ScanComparison]:
        """The scans that it has looked at, in the order of the sample."""
        token = ""
        while True:
            request = pb.ListComparedScansRequest(
                comparison_id=comparison_id, differing=differing, page_size=_PAGE, page_token=token
            )
            page = self._ask(self._stub.ListComparedScans, request)
            yield from page.scans
            token = page.next_page_token
            if not token:
                return

    def cancel(self, comparison_id: str) -> Job:
        """Stops a comparison."""
        return self._ask(
            self._stub.CancelComparison, pb.CancelComparisonRequest(comparison_id=comparison_id)
        ).comparison

    def delete(self, comparison_id: str) -> None:
        """Removes a comparison."""
        self._ask(self._stub.DeleteComparison, pb.DeleteComparisonRequest(comparison_id=comparison_id))

    def _ask(self, rpc: "grpc.UnaryUnaryMultiCallable[Q, A]", request: Q) -> A:
        with answered(self._locale):
            return rpc(request, timeout=_SECONDS, metadata=self._metadata)
