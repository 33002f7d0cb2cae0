"""Requests of ComparisonService to the domain, and what comparisons have found as protos."""

import hashlib
from collections.abc import Sequence

from eco2.jobs.v1 import comparison_pb2 as pb
from eco2.jobs.v1 import comparison_service_pb2
from mesh.errors import InvalidArgument
from mesh.grpc.identity import Caller
from mesh.grpc.proto_mirror import from_proto, to_proto
from mesh.reasons import Reason
from scan_svc.client_jobs.client_jobs import JobRequest, Kind
from scan_svc.comparisons.comparisons import OPERATORS, ComparisonSpec, PairRecord, Side
from scan_svc.comparisons.report import Accuracy, Interval, Measured, Report


def job_request(request: comparison_service_pb2.CreateComparisonRequest, who: Caller) -> JobRequest:
    """What a CreateComparisonRequest asks for. What only the service writes isn't taken from it."""
    asked = pb.ComparisonSpec()
    asked.CopyFrom(request.comparison)
    asked.ClearField("current_version")
    asked.ClearField("rulebook_version")
    return JobRequest(
        user_id=OPERATORS,
        kind=Kind.COMPARISON,
        spec=from_proto(asked, ComparisonSpec),
        field="comparison",
        request_id=request.request_id,
        payload_hash=hashlib.sha256(asked.SerializeToString(deterministic=True)).digest(),
        locale=who.locale,
    )


def to_position(token: str) -> int:
    """The position that a page follows.

    Raises:
        InvalidArgument: The token isn't ours.
    """
    if not token:
        return 0
    if not (token.isascii() and token.isdecimal() and len(token) < 10):
        raise InvalidArgument(Reason.INVALID_PAGE_TOKEN)
    return int(token)


def from_position(records: Sequence[PairRecord], size: int) -> str:
    """The token of the page that follows the first `size` of these; empty if that is all."""
    return str(records[size - 1].position) if len(records) > size else ""


def from_record(record: PairRecord) -> pb.ScanComparison:
    """One scan of the sample."""
    pair = record.pair
    return pb.ScanComparison(
        scan_id=record.scan_id,
        outcome=pb.ScanComparison.Outcome.Value(f"OUTCOME_{pair.outcome}"),
        reason=pair.reason,
        before=_side(pair.before),
        after=_side(pair.after),
        differs=pair.differs,
        truth=pair.truth,
        denied=pair.denied,
    )


def from_report(report: Report) -> pb.ComparisonReport:
    """What was found."""
    return pb.ComparisonReport(
        compared=report.compared,
        skipped=report.skipped,
        failed=report.failed,
        same_major=report.same_major,
        same_middle=report.same_middle,
        same_category=report.same_category,
        differs=report.differs,
        confusions=[to_proto(one, pb.ComparisonConfusion) for one in report.confusions],
        confidence_before=report.confidence_before,
        confidence_after=report.confidence_after,
        denied=report.denied,
        denied_changed=report.denied_changed,
        accuracy=_accuracy(report.accuracy) if report.accuracy else None,
        before=_measured(report.before),
        after=_measured(report.after),
    )


def _side(side: Side | None) -> pb.ComparisonSide | None:
    return to_proto(side, pb.ComparisonSide) if side else None


def _accuracy(accuracy: Accuracy) -> pb.ComparisonAccuracy:
    return pb.ComparisonAccuracy(
        known=accuracy.known,
        before=_share(accuracy.before),
        after=_share(accuracy.after),
        only_before=accuracy.only_before,
        only_after=accuracy.only_after,
        p_value=accuracy.p_value,
    )


def _share(interval: Interval) -> pb.ComparisonShare:
    return pb.ComparisonShare(share=interval.share, low=interval.low, high=interval.high)


def _measured(measured: Measured) -> pb.ComparisonCost:
    return to_proto(measured, pb.ComparisonCost)
