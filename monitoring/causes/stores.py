"""PostgreSQL, Redis, object storage."""

from monitoring.alerts import Alert
from monitoring.durations import MINUTE

STORES = (
    Alert(
        "Eco2DependencyDown",
        "max by (namespace, eco2_service, eco2_dependency) (eco2_dependency_up) == 0",
        "page",
        "{{ $labels.eco2_service }} has no {{ $labels.eco2_dependency }}.",
        "No process of it is ready for want of that.",
        lasting=2 * MINUTE,
    ),
    Alert(
        "Eco2RedisBreakerOpen",
        'max by (namespace, eco2_service) (eco2_circuit_breaker_open{eco2_circuit_breaker="redis"}) == 1',
        "ticket",
        "{{ $labels.eco2_service }} does without Redis.",
        "Its breaker is open: PostgreSQL answers instead, watching is slower.",
        lasting=2 * MINUTE,
    ),
    Alert(
        "Eco2PoolExhausted",
        "max by (namespace, job, pod, db_client_connection_pool_name) "
        '(db_client_connection_pending_requests{job=~"eco2-.+"}) > 0',
        "ticket",
        "Calls wait for a connection to PostgreSQL.",
        "{{ $value }} wait in the pool {{ $labels.db_client_connection_pool_name }} of {{ $labels.job }}.",
    ),
)
