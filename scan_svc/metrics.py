"""Metrics of scans and of the work on them."""

from mesh.observability.metrics import Kind, Metric

_KINDS = ("scan", "reward", "webhook", "export")
_STAGES = ("vision", "rules", "answer", "reward", "deliver", "export")

QUEUE_JOBS = Metric(
    "eco2.queue.jobs",
    Kind.GAUGE,
    "{job}",
    "Jobs by kind, stage and state: to be run, now or later; held by a worker; dead letters.",
    {"eco2.job.kind": _KINDS, "eco2.stage": _STAGES, "eco2.job.state": ("ready", "in_flight", "dead")},
    elected=True,
)
QUEUE_OLDEST_AGE = Metric(
    "eco2.queue.oldest_age",
    Kind.GAUGE,
    "s",
    "How long the oldest job that is due has waited; 0 when none is due.",
    {"eco2.job.kind": _KINDS, "eco2.stage": _STAGES},
    elected=True,
)
OLDEST_WEBHOOK = Metric(
    "eco2.webhook.oldest_undelivered_age",
    Kind.GAUGE,
    "s",
    "How long the oldest webhook that isn't delivered has been due, all its tries included; 0 when none is.",
    elected=True,
)
PHOTOS_TO_REMOVE = Metric(
    "eco2.photo_removal.waiting",
    Kind.GAUGE,
    "{photo}",
    "Photos that are due for removal.",
    elected=True,
)
BUDGET_LIMIT = Metric(
    "eco2.model.budget.limit",
    Kind.GAUGE,
    "usd",
    "What models may cost in a day of UTC, all users together; absent without a limit.",
    elected=True,
)
BUDGET_LEFT = Metric(
    "eco2.model.budget.left",
    Kind.GAUGE,
    "usd",
    "What is left of it; half a minute old at most.",
    elected=True,
)
METRICS = (QUEUE_JOBS, QUEUE_OLDEST_AGE, OLDEST_WEBHOOK, PHOTOS_TO_REMOVE, BUDGET_LIMIT, BUDGET_LEFT)
