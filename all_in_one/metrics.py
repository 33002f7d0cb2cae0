"""Every metric there is, by the package that counts it."""

from collections.abc import Mapping, Sequence

import auth_svc.metrics
import mesh.grpc.metrics
import mesh.models.metrics
import mesh.observability.stores
import mesh.process.metrics
import ratelimit_svc.metrics
import scan_svc.metrics
import vision_svc.metrics
from mesh.observability.metrics import Metric

DECLARED: Mapping[str, Sequence[Metric]] = {
    "mesh.grpc": mesh.grpc.metrics.METRICS,
    "scan_svc": scan_svc.metrics.METRICS,
    "vision_svc": vision_svc.metrics.METRICS,
    "mesh.models": mesh.models.metrics.METRICS,
    "mesh.observability": mesh.observability.stores.METRICS,
    "ratelimit_svc": ratelimit_svc.metrics.METRICS,
    "auth_svc": auth_svc.metrics.METRICS,
    "mesh.process": mesh.process.metrics.METRICS,
}
METRICS: Sequence[Metric] = tuple(metric for metrics in DECLARED.values() for metric in metrics)
