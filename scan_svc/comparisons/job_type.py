"""Comparisons as a kind of client jobs."""

from types import MappingProxyType

from mesh.locale import Locale
from scan_svc.client_jobs.client_jobs import Kind
from scan_svc.client_jobs.work import JobType
from scan_svc.comparisons.comparisons import ComparisonResult, ComparisonSpec
from scan_svc.comparisons.work import COMPARE, DRAW, ComparisonWork

_STEPS = MappingProxyType(
    {
        DRAW: {Locale.KO: "비교할 스캔을 고르고 있어요", Locale.EN: "Drawing the sample"},
        COMPARE: {
            Locale.KO: "스캔 {total}건 가운데 {done}건을 비교했어요",
            Locale.EN: "{done} of {total} scans are compared",
        },
    }
)


def comparison_type(work: ComparisonWork) -> JobType:
    """The kind, with its work."""
    return JobType(
        kind=Kind.COMPARISON,
        work=work,
        spec=ComparisonSpec,
        result=ComparisonResult,
        steps=_STEPS,
        unit="scans",
        capacity=1,
        internal=True,
    )
