"""Hosted models, and what they cost."""

from monitoring.alerts import Alert
from monitoring.durations import HOUR, MINUTE

_TRIED = 'gen_ai_client_operation_duration_seconds_count{job=~"eco2-.+"%s}'
_FAILED = _TRIED % ', error_type!~"|abandoned"'

MONEY = (
    Alert(
        "Eco2BudgetNearlySpent",
        "max by (namespace) (eco2_model_budget_left_usd) / max by (namespace) (eco2_model_budget_limit_usd > 0) < 0.1",
        "ticket",
        "The day's budget for models is nearly spent.",
        "{{ $value | humanizePercentage }} of it is left; then the offline model looks and answers are composed.",
        lasting=MINUTE,
    ),
    Alert(
        "Eco2ScanCostHigh",
        "sum by (namespace) (increase(eco2_model_cost_usd_total[1h]))\n"
        '/ sum by (namespace) (increase(eco2_scan_ended_total{eco2_scan_state="succeeded"}[1h])) > 0.01',
        "ticket",
        "A scan costs more than a cent.",
        "Models cost {{ $value | humanize }} US dollars a scan within the last hour.",
        lasting=HOUR / 2,
    ),
    Alert(
        "Eco2ModelErrors",
        f"sum by (namespace, gen_ai_request_model) (rate({_FAILED}[5m]))\n"
        f"/ sum by (namespace, gen_ai_request_model) (rate({_TRIED % ''}[5m])) > 0.2",
        "ticket",
        "{{ $labels.gen_ai_request_model }} fails.",
        "{{ $value | humanizePercentage }} of its calls fail; the next one of the chain is asked.",
    ),
    Alert(
        "Eco2ModelSlow",
        "histogram_quantile(0.95, sum by (namespace, gen_ai_request_model, le) "
        '(rate(gen_ai_client_operation_duration_seconds_bucket{job=~"eco2-.+"}[5m]))) > 20',
        "ticket",
        "{{ $labels.gen_ai_request_model }} is slow.",
        "One call in twenty takes longer than {{ $value | humanizeDuration }}.",
        lasting=10 * MINUTE,
    ),
)
