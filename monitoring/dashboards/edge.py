"""What Envoy sees: users on one side, our services on the other."""

from monitoring.dashboards.boards import Board, Panel, Query, Row

_PUBLIC = '$ours, envoy_http_conn_manager_prefix="public"'
_HEALTHY = "envoy_cluster_membership_healthy{$ours}"

EDGE = Board(
    "edge",
    "Eco² / Edge",
    "Requests, refusals and services as the edge sees them.",
    rows=(
        Row(
            "Users' requests",
            (
                Panel(
                    "Requests",
                    "By class of their status. gRPC's failures are 2xx here; the overview has them.",
                    "reqps",
                    [
                        Query(
                            "sum by (envoy_response_code_class) "
                            f"(rate(envoy_http_downstream_rq_xx{{{_PUBLIC}}}[$__rate_interval]))",
                            "{{envoy_response_code_class}}xx",
                        )
                    ],
                ),
                Panel(
                    "Server errors",
                    "Share of requests; 0.1 % may be.",
                    "percentunit",
                    [
                        Query(
                            f'sum(rate(envoy_http_downstream_rq_xx{{{_PUBLIC}, envoy_response_code_class="5"}}'
                            "[$__rate_interval]))"
                            f" / sum(rate(envoy_http_downstream_rq_xx{{{_PUBLIC}}}[$__rate_interval]))",
                            "5xx",
                        )
                    ],
                    limit=0.001,
                    runbooks=["Eco2EdgeAvailabilityBudgetBurn", "Eco2EdgeDown"],
                ),
                Panel(
                    "Time of a request",
                    "Streams are in it for as long as they last.",
                    "ms",
                    [
                        Query(
                            f"histogram_quantile({share}, sum by (le) "
                            f"(rate(envoy_http_downstream_rq_time_bucket{{{_PUBLIC}}}[$__rate_interval])))",
                            f"p{share:.0%}",
                        )
                        for share in (0.5, 0.99)
                    ],
                ),
                Panel(
                    "Connections open",
                    "By pod.",
                    "short",
                    [Query(f"sum by (pod) (envoy_http_downstream_cx_active{{{_PUBLIC}}})", "{{pod}}")],
                ),
                Panel(
                    "Calls refused by limits",
                    "Decisions of the rate-limit service; uncounted ones found no Redis.",
                    "reqps",
                    [
                        Query(
                            "sum by (eco2_outcome) (rate(eco2_rate_limit_decisions_total{$ours}[$__rate_interval]))",
                            "{{eco2_outcome}}",
                        )
                    ],
                    runbooks=["Eco2RateLimitsNotShared"],
                ),
                Panel(
                    "Signing in",
                    "Attempts that ended, by provider and how.",
                    "eps",
                    [
                        Query(
                            "sum by (eco2_sign_in_provider, eco2_outcome) "
                            "(rate(eco2_sign_in_ended_total{$ours}[$__rate_interval]))",
                            "{{eco2_sign_in_provider}} {{eco2_outcome}}",
                        )
                    ],
                ),
            ),
        ),
        Row(
            "Services behind it",
            (
                Panel(
                    "Healthy members",
                    "Of each cluster; none at all pages.",
                    "short",
                    [Query(f"max by (envoy_cluster_name) ({_HEALTHY})", "{{envoy_cluster_name}}")],
                    runbooks=["Eco2UpstreamDown", "Eco2RateLimitsNotShared"],
                ),
                Panel(
                    "Their answers",
                    "5xx only, by cluster.",
                    "reqps",
                    [
                        Query(
                            "sum by (envoy_cluster_name) "
                            '(rate(envoy_cluster_upstream_rq_xx{$ours, envoy_response_code_class="5"}'
                            "[$__rate_interval]))",
                            "{{envoy_cluster_name}}",
                        )
                    ],
                ),
                Panel(
                    "Their time",
                    "p99, by cluster.",
                    "ms",
                    [
                        Query(
                            "histogram_quantile(0.99, sum by (envoy_cluster_name, le) "
                            "(rate(envoy_cluster_upstream_rq_time_bucket{$ours}[$__rate_interval])))",
                            "{{envoy_cluster_name}}",
                        )
                    ],
                ),
                Panel(
                    "Refused, retried, not connected",
                    "By cluster.",
                    "eps",
                    [
                        Query(
                            f"sum by (envoy_cluster_name) (rate({name}{{$ours}}[$__rate_interval])) > 0",
                            f"{{{{envoy_cluster_name}}}} {said}",
                        )
                        for name, said in (
                            ("envoy_cluster_upstream_rq_pending_overflow", "refused"),
                            ("envoy_cluster_upstream_rq_retry", "retried"),
                            ("envoy_cluster_upstream_cx_connect_fail", "not connected"),
                        )
                    ],
                    runbooks=["Eco2EdgeOverflow"],
                ),
                Panel(
                    "Envoy's memory",
                    "Allocated, by pod.",
                    "bytes",
                    [Query("envoy_server_memory_allocated{$ours}", "{{pod}}")],
                ),
                Panel(
                    "Running for",
                    "A fall is a restart.",
                    "s",
                    [Query("envoy_server_uptime{$ours}", "{{pod}}")],
                    runbooks=["Eco2EdgeDown"],
                ),
            ),
        ),
    ),
)
