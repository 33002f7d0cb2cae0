"""Every metric there is, by the package that counts it."""

from collections.abc import Mapping, Sequence

import mesh.grpc.metrics
import mesh.models.metrics
import scan_svc.metrics
from mesh.observability.metrics import Metric

DECLARED: Mapping[str, Sequence[Metric]] = {
    "mesh.grpc": mesh.grpc.metrics.METRICS,
    "scan_svc": scan_svc.metrics.METRICS,
    "mesh.models": mesh.models.metrics.METRICS,
}
METRICS: Sequence[Metric] = tuple(metric for metrics in DECLARED.values() for metric in metrics)
