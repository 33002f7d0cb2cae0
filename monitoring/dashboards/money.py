"""What hosted models cost, and what is left."""

from monitoring.dashboards.boards import Board, Panel, Query, Row

_TRIES = "gen_ai_client_operation_duration_seconds"

MONEY = Board(
    "money",
    "Eco² / Money",
    "Spending, budget, tokens, and how the models do.",
    rows=(
        Row(
            "The day",
            (
                Panel(
                    "Budget left",
                    "Of the day (UTC). When it is spent, the offline model looks.",
                    "percentunit",
                    [
                        Query(
                            "max(eco2_model_budget_left_usd{$release}) / "
                            "max(eco2_model_budget_limit_usd{$release} > 0)",
                            "left",
                        )
                    ],
                    limit=0.1,
                    good_above=True,
                    runbooks=["Eco2BudgetNearlySpent", "Eco2ModelSpendingBudgetBurn"],
                    figure=True,
                    width=6,
                ),
                Panel(
                    "Budget",
                    "Of a day; without one there is nothing to show.",
                    "currencyUSD",
                    [Query("max(eco2_model_budget_limit_usd{$release})", "limit")],
                    figure=True,
                    width=6,
                ),
                Panel(
                    "Spent within 24 hours",
                    "As the models' own count of tokens says.",
                    "currencyUSD",
                    [Query("sum(increase(eco2_model_cost_usd_total{$ours}[1d]))", "spent")],
                    figure=True,
                    width=6,
                ),
                Panel(
                    "A scan costs",
                    "Over the last hour; a cent is too much.",
                    "currencyUSD",
                    [
                        Query(
                            "sum(increase(eco2_model_cost_usd_total{$ours}[1h])) / "
                            'sum(increase(eco2_scan_ended_total{$ours, eco2_scan_state="succeeded"}[1h]))',
                            "a scan",
                        )
                    ],
                    limit=0.01,
                    runbooks=["Eco2ScanCostHigh"],
                    figure=True,
                    width=6,
                ),
            ),
        ),
        Row(
            "By model",
            (
                Panel(
                    "Spending",
                    "US dollars an hour.",
                    "currencyUSD",
                    [
                        Query(
                            "sum by (gen_ai_request_model) "
                            "(rate(eco2_model_cost_usd_total{$ours}[$__rate_interval])) * 3600",
                            "{{gen_ai_request_model}}",
                        )
                    ],
                ),
                Panel(
                    "Tokens",
                    "A second, read and written.",
                    "short",
                    [
                        Query(
                            "sum by (gen_ai_request_model, gen_ai_token_type) "
                            "(rate(gen_ai_client_token_usage_sum{$ours}[$__rate_interval]))",
                            "{{gen_ai_request_model}} {{gen_ai_token_type}}",
                        )
                    ],
                ),
                Panel(
                    "Calls",
                    "By how they ended; empty: well.",
                    "reqps",
                    [
                        Query(
                            "sum by (gen_ai_request_model, error_type) "
                            f"(rate({_TRIES}_count{{$ours}}[$__rate_interval]))",
                            "{{gen_ai_request_model}} {{error_type}}",
                        )
                    ],
                    runbooks=["Eco2ModelErrors"],
                ),
                Panel(
                    "Seconds of a call",
                    "p95.",
                    "s",
                    [
                        Query(
                            "histogram_quantile(0.95, sum by (gen_ai_request_model, le) "
                            f"(rate({_TRIES}_bucket{{$ours}}[$__rate_interval])))",
                            "{{gen_ai_request_model}}",
                        )
                    ],
                    limit=20,
                    runbooks=["Eco2ModelSlow"],
                ),
            ),
        ),
    ),
)
