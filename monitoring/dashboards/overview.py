"""Is all well? The first page that whoever is on call opens."""

from monitoring.burn_rates import ERRORS, EVENTS, REMAINING, ratio
from monitoring.dashboards.boards import Board, Panel, Query, Row
from monitoring.durations import HOUR
from monitoring.promises import PROMISES
from monitoring.targets import STREAMS

_UNARY = f'rpc_server_call_duration_seconds_count{{$ours, rpc_method!~"{STREAMS}"}}'


def _quantile(share: float, histogram: str) -> str:
    return f"histogram_quantile({share}, sum by (le) (rate({histogram}_bucket{{$ours}}[$__rate_interval])))"


OVERVIEW = Board(
    "overview",
    "Eco² / Overview",
    "Whether users get what is promised, and which objective to look at first.",
    rows=(
        Row(
            "Objectives",
            (
                Panel(
                    "Error budget left",
                    "Of 28 days. Below zero an objective is missed; who acts says docs/slo.md.",
                    "percentunit",
                    [Query(f"{REMAINING}{{$release}}", "{{slo}}")],
                    limit=0,
                    good_above=True,
                    runbooks=[each.alert for each in PROMISES],
                    width=12,
                ),
                Panel(
                    "Bad events within an hour, times the budget",
                    "The burn rate. 1 spends the budget in 28 days; from 14.4 on somebody is called.",
                    "none",
                    [
                        Query(
                            f"{ratio(HOUR)}{{$release}} / on (slo) group_left () (1 - eco2:slo_objective:ratio)",
                            "{{slo}}",
                        )
                    ],
                    limit=14.4,
                    width=12,
                ),
                Panel(
                    "Alerts that fire",
                    "By name. Each has a runbook.",
                    "none",
                    [
                        Query(
                            "count by (alertname, severity) "
                            '(ALERTS{$release, alertname=~"Eco2.+", alertstate="firing"})'
                        )
                    ],
                    width=12,
                ),
                Panel(
                    "Events an objective counts",
                    "What the shares above are shares of. Few events make a ratio jump.",
                    "eps",
                    [Query(f"{EVENTS}{{$release}}", "{{slo}}"), Query(f"{ERRORS}{{$release}}", "{{slo}}, bad")],
                    width=12,
                ),
            ),
        ),
        Row(
            "Users",
            (
                Panel(
                    "Scans",
                    "Created, and ended by how.",
                    "eps",
                    [
                        Query("sum(rate(eco2_scan_created_total{$ours}[$__rate_interval]))", "created"),
                        Query(
                            "sum by (eco2_scan_state) (rate(eco2_scan_ended_total{$ours}[$__rate_interval]))",
                            "{{eco2_scan_state}}",
                        ),
                    ],
                    runbooks=["Eco2ScanSuccessBudgetBurn"],
                ),
                Panel(
                    "A whole scan",
                    "From queued to its end, models included.",
                    "s",
                    [Query(_quantile(share, "eco2_scan_duration_seconds"), f"p{share:.0%}") for share in (0.5, 0.99)],
                ),
                Panel(
                    "First result",
                    "From queued to what the photo shows: 95 % within 20 s.",
                    "s",
                    [Query(_quantile(0.95, "eco2_scan_first_result_duration_seconds"), "p95")],
                    limit=20,
                    runbooks=["Eco2FirstResultBudgetBurn"],
                ),
                Panel(
                    "Beyond the models' own time",
                    "Queueing, photos, storage: 95 % within a second.",
                    "s",
                    [Query(_quantile(0.95, "eco2_scan_overhead_duration_seconds"), "p95")],
                    limit=1,
                    runbooks=["Eco2ScanOverheadBudgetBurn"],
                ),
                Panel(
                    "Change to watcher",
                    "99 % within 100 ms.",
                    "s",
                    [Query(_quantile(0.99, "eco2_watch_lag_seconds"), "p99")],
                    limit=0.1,
                    runbooks=["Eco2WatchFreshnessBudgetBurn"],
                ),
                Panel(
                    "Watches open",
                    "Streams and long polls.",
                    "short",
                    [Query("sum by (job) (eco2_watch_active{$ours})", "{{job}}")],
                ),
            ),
        ),
        Row(
            "Services",
            (
                Panel(
                    "Calls",
                    "Unary ones, by method.",
                    "reqps",
                    [Query(f"sum by (rpc_method) (rate({_UNARY}[$__rate_interval]))", "{{rpc_method}}")],
                ),
                Panel(
                    "Calls that failed",
                    "By code, whosever fault it was.",
                    "reqps",
                    [
                        Query(
                            "sum by (rpc_method, rpc_response_status_code) (rate("
                            'rpc_server_call_duration_seconds_count{$ours, rpc_response_status_code!="OK"}'
                            "[$__rate_interval]))",
                            "{{rpc_method}} {{rpc_response_status_code}}",
                        )
                    ],
                    runbooks=["Eco2RpcAvailabilityBudgetBurn"],
                ),
                Panel(
                    "CreateScan",
                    "99 % within 50 ms.",
                    "s",
                    [
                        Query(
                            "histogram_quantile(0.99, sum by (le) (rate(rpc_server_call_duration_seconds_bucket{$ours, "
                            'rpc_method="eco2.scan.v1.ScanService/CreateScan"}[$__rate_interval])))',
                            "p99",
                        )
                    ],
                    limit=0.05,
                    runbooks=["Eco2CreateLatencyBudgetBurn"],
                ),
                Panel(
                    "Up",
                    "Processes that answer Prometheus, by job.",
                    "short",
                    [Query("sum by (job) (up{$ours})", "{{job}}")],
                    runbooks=["Eco2TargetDown", "Eco2CrashLoop"],
                ),
                Panel(
                    "What services lack",
                    "A store, a certificate, a worker, a decoder. 1: a process isn't ready for want of it.",
                    "short",
                    [
                        Query(
                            "1 - min by (eco2_service, eco2_dependency) (eco2_dependency_up{$ours})",
                            "{{eco2_service}}: {{eco2_dependency}}",
                        )
                    ],
                    limit=1,
                    runbooks=["Eco2DependencyDown"],
                ),
                Panel(
                    "Breakers open",
                    "1: calls are refused without being tried.",
                    "short",
                    [
                        Query(
                            "max by (eco2_service, eco2_circuit_breaker) (eco2_circuit_breaker_open{$ours})",
                            "{{eco2_service}}: {{eco2_circuit_breaker}}",
                        )
                    ],
                    limit=1,
                    runbooks=["Eco2RedisBreakerOpen", "Eco2ModelErrors"],
                ),
            ),
        ),
        Row(
            "Processes",
            (
                Panel(
                    "CPU",
                    "Cores used, by job.",
                    "short",
                    [Query("sum by (job) (rate(process_cpu_time_seconds_total{$ours}[$__rate_interval]))", "{{job}}")],
                ),
                Panel(
                    "Memory",
                    "Resident, of each process.",
                    "bytes",
                    [Query("process_memory_usage_bytes{$ours}", "{{job}} {{pod}}")],
                ),
                Panel(
                    "Event loop",
                    "How late one timer in a hundred fires.",
                    "s",
                    [
                        Query(
                            "histogram_quantile(0.99, sum by (job, pod, le) "
                            "(rate(eco2_event_loop_lag_seconds_bucket{$ours}[$__rate_interval])))",
                            "{{job}} {{pod}}",
                        )
                    ],
                    limit=0.25,
                    runbooks=["Eco2EventLoopLag"],
                ),
                Panel(
                    "Collecting garbage",
                    "Share of time that it takes.",
                    "percentunit",
                    [
                        Query(
                            "sum by (job, pod) (rate(eco2_gc_pause_seconds_sum{$ours}[$__rate_interval]))",
                            "{{job}} {{pod}}",
                        )
                    ],
                ),
                Panel(
                    "Calls at work, of those that may be",
                    "Streams apart.",
                    "percentunit",
                    [
                        Query(
                            "sum by (job, pod) "
                            f'(eco2_rpc_server_active_calls{{$ours, rpc_method!~"{STREAMS}"}})'
                            " / max by (job, pod) (eco2_rpc_server_call_limit{$ours})",
                            "{{job}} {{pod}}",
                        )
                    ],
                    limit=0.8,
                    runbooks=["Eco2CallLimitNear"],
                ),
                Panel(
                    "Connections to PostgreSQL",
                    "Used of each pool's size, and who waits for one.",
                    "short",
                    [
                        Query(
                            "sum by (db_client_connection_pool_name) "
                            '(db_client_connection_count{$ours, db_client_connection_state="used"})',
                            "{{db_client_connection_pool_name}} used",
                        ),
                        Query(
                            "sum by (db_client_connection_pool_name) (db_client_connection_pending_requests{$ours})",
                            "{{db_client_connection_pool_name}} waiting",
                        ),
                    ],
                    runbooks=["Eco2PoolExhausted"],
                ),
            ),
        ),
    ),
)
