"""Every series that rules and dashboards may ask for, with its labels: ours as declared, Envoy's, Prometheus' own."""

from collections.abc import Iterator, Mapping

from all_in_one.metrics import METRICS
from mesh.observability.metrics import Kind, Metric
from tests.support.promql import GROUPS

# What the scrape and Kubernetes add to each.
PLACES = frozenset({"namespace", "job", "pod", "instance"})
# tests/integration/monitoring/test_alerts.py finds each of these in what the real ones tell.
OTHERS: Mapping[str, frozenset[str]] = {
    "up": frozenset(),
    "ALERTS": frozenset({"alertname", "alertstate", "severity"}),
    "envoy_http_downstream_rq_xx": frozenset({"envoy_http_conn_manager_prefix", "envoy_response_code_class"}),
    "envoy_http_downstream_rq_time_bucket": frozenset({"envoy_http_conn_manager_prefix", "le"}),
    "envoy_http_downstream_cx_active": frozenset({"envoy_http_conn_manager_prefix"}),
    "envoy_cluster_membership_healthy": frozenset({"envoy_cluster_name"}),
    "envoy_cluster_upstream_rq_xx": frozenset({"envoy_cluster_name", "envoy_response_code_class"}),
    "envoy_cluster_upstream_rq_time_bucket": frozenset({"envoy_cluster_name", "le"}),
    "envoy_cluster_upstream_rq_pending_overflow": frozenset({"envoy_cluster_name"}),
    "envoy_cluster_upstream_rq_retry": frozenset({"envoy_cluster_name"}),
    "envoy_cluster_upstream_cx_connect_fail": frozenset({"envoy_cluster_name"}),
    "envoy_server_memory_allocated": frozenset(),
    "envoy_server_uptime": frozenset(),
}
RECORDED = {rule["record"]: frozenset({"slo"}) for group in GROUPS for rule in group["rules"] if "record" in rule}


def _declared() -> Iterator[tuple[str, Metric]]:
    for metric in METRICS:
        if metric.kind is Kind.HISTOGRAM:
            yield from ((f"{metric.prometheus}_{part}", metric) for part in ("bucket", "count", "sum"))
        else:
            yield metric.prometheus, metric


# Each series of ours, and the metric it belongs to.
OURS = dict(_declared())


def values(series: str) -> Mapping[str, set[str] | None]:
    """The labels of a series of ours, each with its values if they are a closed set."""
    told = OURS[series].attributes.items()
    return {name.replace(".", "_"): None if isinstance(each, str) else set(each) for name, each in told}


def labels(series: str) -> frozenset[str]:
    """The labels that any series has of itself."""
    if series not in OURS:
        return {**OTHERS, **RECORDED}[series]
    return frozenset(values(series)) | ({"le"} if series.endswith("_bucket") else set())
