"""The service level objectives: docs/slo.md explains each of them, `Objective` the fields.

What a histogram counts is good up to a bound that is one of its buckets: Prometheus knows nothing between two.
"""

from monitoring.objectives import Objective
from monitoring.targets import JOBS, PUBLIC, STREAMS, at_most

# A photo nobody can read, or one that its address doesn't give: no mesh can promise an answer to it.
USER_FAULTS = "PHOTO_.+|NOT_WASTE|MODEL_REFUSED|MODEL_FILTERED|ADDRESS_REFUSED|INVALID_FIELD|BUILDING_UNKNOWN"
# What a caller did nothing for. DEADLINE_EXCEEDED is among them: that we were slow is the usual cause.
SERVER_FAULTS = "UNKNOWN|INTERNAL|UNAVAILABLE|DATA_LOSS|DEADLINE_EXCEEDED"

_CREATE = 'rpc_method=~"eco2.scan.v1.ScanService/CreateScan|eco2.compat.v1.CompatService/(AnalyzeWaste|CreateTask)"'


def _rate(series: str) -> str:
    """Events a second, by namespace."""
    return f"sum by (namespace) (rate({series}[5m]))"


def _timed(histogram: str, chosen: str = "") -> str:
    """All that a histogram counts."""
    return _rate(f"{histogram}_count{{{chosen}}}" if chosen else f"{histogram}_count")


def _slower(histogram: str, bound: float, chosen: str = "") -> str:
    """Those of a histogram that took longer than a bound."""
    within = ", ".join(part for part in (chosen, at_most(bound)) if part)
    return f"{_timed(histogram, chosen)} - {_rate(f'{histogram}_bucket{{{within}}}')}"


def _edge(chosen: str = "") -> str:
    return _rate(f"envoy_http_downstream_rq_xx{{{PUBLIC}{chosen}}}")


_CALLS = "rpc_server_call_duration_seconds"
_UNARY = f'{JOBS}, rpc_method!~"{STREAMS}"'
_FAULTY = f'{_UNARY}, rpc_response_status_code=~"{SERVER_FAULTS}"'
_CREATIONS = f"{JOBS}, {_CREATE}"
_ENDED = 'eco2_scan_ended_total{eco2_scan_state=~"%s", error_type!~"%s"}'
_OLDEST = 'max by (namespace) (eco2_queue_oldest_age_seconds{eco2_job_kind="scan"})'
_TRIED = 'eco2_webhook_delivery_duration_seconds_count{eco2_outcome=~"%s"}'
_LEFT = "max by (namespace) (eco2_model_budget_left_usd)"
_LIMITED = "and on (namespace) max by (namespace) (eco2_model_budget_limit_usd) > 0"

PROMISES = (
    Objective(
        "edge-availability",
        "The edge answers requests without a server error.",
        0.999,
        errors=_edge(', envoy_response_code_class="5"'),
        events=_edge(),
        owner="on call: platform",
    ),
    Objective(
        "rpc-availability",
        "The services answer unary calls without a fault of their own.",
        0.999,
        errors=_timed(_CALLS, _FAULTY),
        events=_timed(_CALLS, _UNARY),
        owner="on call: backend",
    ),
    Objective(
        "scan-success",
        "An accepted scan ends with an answer, unless its photo can't be answered.",
        0.995,
        errors=_rate(_ENDED % ("failed", USER_FAULTS)),
        events=_rate(_ENDED % ("succeeded|failed", USER_FAULTS)),
        owner="on call: backend",
    ),
    Objective(
        "create-latency",
        "CreateScan answers within 50 ms.",
        0.99,
        errors=_slower(_CALLS, 0.05, _CREATIONS),
        events=_timed(_CALLS, _CREATIONS),
        owner="on call: backend",
    ),
    Objective(
        "first-result",
        "What a photo shows is known 20 s after the scan was queued.",
        0.95,
        errors=_slower("eco2_scan_first_result_duration_seconds", 20),
        events=_timed("eco2_scan_first_result_duration_seconds"),
        owner="on call: backend",
    ),
    Objective(
        "scan-overhead",
        "A whole scan takes less than a second beyond the models' own time.",
        0.95,
        errors=_slower("eco2_scan_overhead_duration_seconds", 1),
        events=_timed("eco2_scan_overhead_duration_seconds"),
        owner="on call: backend",
    ),
    Objective(
        "watch-freshness",
        "A change reaches whoever watches within 100 ms.",
        0.99,
        errors=_slower("eco2_watch_lag_seconds", 0.1),
        events=_timed("eco2_watch_lag_seconds"),
        owner="backend",
        pages=False,
        least=50,
    ),
    Objective(
        "queue-freshness",
        "No scan waits longer than a minute for a worker.",
        0.99,
        errors=f"{_OLDEST} > bool ${{1m}}",
        events=f"{_OLDEST} >= bool 0",
        owner="on call: backend",
        least=0,
    ),
    Objective(
        "webhook-delivery",
        "A webhook is delivered, within a day of tries.",
        0.99,
        errors=_rate(_TRIED % "failed"),
        events=_rate(_TRIED % "delivered|failed"),
        owner="backend, with the receiver's owner",
        pages=False,
    ),
    Objective(
        "model-spending",
        "The day's budget for hosted models isn't spent before the day is over.",
        0.99,
        errors=f"({_LEFT} <= bool 0) {_LIMITED}",
        events=f"({_LEFT} >= bool 0) {_LIMITED}",
        owner="product, who set the budget",
        pages=False,
        least=0,
    ),
)
