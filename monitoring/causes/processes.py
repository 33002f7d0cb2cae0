"""Any process of ours."""

from monitoring.alerts import Alert
from monitoring.durations import MINUTE
from monitoring.targets import JOBS, STREAMS

PROCESSES = (
    Alert(
        "Eco2TargetDown",
        f"up{{{JOBS}}} == 0",
        "ticket",
        "Prometheus gets nothing from {{ $labels.job }}.",
        "{{ $labels.instance }} doesn't answer: it is down, or its metrics' port can't be reached.",
    ),
    Alert(
        "Eco2CrashLoop",
        f"resets(process_uptime_seconds{{{JOBS}}}[15m]) > 2",
        "ticket",
        "{{ $labels.job }} starts again and again.",
        "{{ $labels.instance }} started {{ $value }} times in 15 minutes.",
        lasting=0,
    ),
    Alert(
        "Eco2EventLoopLag",
        "histogram_quantile(0.99, sum by (namespace, job, pod, le) (rate(eco2_event_loop_lag_seconds_bucket[5m])))"
        " > 0.25",
        "ticket",
        "{{ $labels.job }} is slow to do anything.",
        "One in a hundred timers fires {{ $value | humanizeDuration }} late: something holds the event loop.",
        lasting=10 * MINUTE,
    ),
    Alert(
        "Eco2CallLimitNear",
        f'sum by (namespace, job, pod) (eco2_rpc_server_active_calls{{rpc_method!~"{STREAMS}"}})\n'
        "/ max by (namespace, job, pod) (eco2_rpc_server_call_limit) > 0.8",
        "ticket",
        "{{ $labels.job }} is about to refuse calls.",
        "{{ $value | humanizePercentage }} of the calls that it takes at once are at work.",
        lasting=2 * MINUTE,
    ),
)
