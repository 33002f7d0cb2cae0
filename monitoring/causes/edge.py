"""The edge and what stands behind it."""

from monitoring.alerts import Alert
from monitoring.durations import MINUTE
from monitoring.targets import JOBS

_CLUSTERS = "scan|scan_watch|rules|character|auth|operations"

_HEALTHY = 'envoy_cluster_membership_healthy{job="eco2-edge", envoy_cluster_name=~"%s"}'

EDGE = (
    Alert(
        "Eco2EdgeDown",
        # Not `sum(up) == 0`: where no pod is left there is no `up` either.
        f'count by (namespace) (up{{{JOBS}}})\nunless on (namespace) sum by (namespace) (up{{job="eco2-edge"}}) > 0',
        "page",
        "No edge answers.",
        "In {{ $labels.namespace }} no pod of the edge answers Prometheus, or there is none.",
        lasting=2 * MINUTE,
    ),
    Alert(
        "Eco2UpstreamDown",
        f"max by (namespace, envoy_cluster_name) ({_HEALTHY % _CLUSTERS}) == 0",
        "page",
        "The edge finds no healthy {{ $labels.envoy_cluster_name }}.",
        "No member of the cluster {{ $labels.envoy_cluster_name }} passes its health check.",
        lasting=2 * MINUTE,
    ),
    Alert(
        "Eco2EdgeOverflow",
        "sum by (namespace, envoy_cluster_name) "
        '(rate(envoy_cluster_upstream_rq_pending_overflow{job="eco2-edge"}[5m])) > 0',
        "ticket",
        "The edge refuses calls of {{ $labels.envoy_cluster_name }}: too many wait.",
        "{{ $value | humanize }} calls a second are answered 503 by the edge's own limit of pending calls.",
    ),
    Alert(
        "Eco2RateLimitsNotShared",
        f"max by (namespace) ({_HEALTHY % 'ratelimit'}) == 0\n"
        "or\n"
        'sum by (namespace) (rate(eco2_rate_limit_decisions_total{eco2_outcome="uncounted"}[5m])) > 0',
        "ticket",
        "Limits of calls hold for each edge by itself only.",
        "The rate-limit service is away, or its Redis is: users may call as often as there are edges.",
    ),
)
