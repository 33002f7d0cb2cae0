"""Metrics of scans and of the work on them."""

from mesh.observability.metrics import Kind, Metric

_CLIENT_JOBS = ("batch", "client_export", "video", "message", "comparison")
_KINDS = ("scan", "reward", "webhook", "export", *_CLIENT_JOBS)
_STAGES = ("vision", "rules", "answer", "reward", "deliver", "export", "run")

PRIORITIES = ("interactive", "batch")

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
    "How long the oldest job that is due has waited, batch scans apart; 0 when none is due.",
    {"eco2.job.kind": _KINDS, "eco2.stage": _STAGES},
    elected=True,
)
BATCH_OLDEST_AGE = Metric(
    "eco2.queue.batch_oldest_age",
    Kind.GAUGE,
    "s",
    "How long the oldest batch scan that is due has waited, which it does on purpose; 0 when none is due.",
    {"eco2.stage": _STAGES[:3]},
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

EVENT_CONSUMERS = Metric(
    "eco2.event.consumers", Kind.GAUGE, "{consumer}", "Consumers that follow the log of events in this process."
)
EVENTS_WRITTEN = Metric(
    "eco2.event.written",
    Kind.GAUGE,
    "{event}",
    "The last event's id: it rises by as many as were written, and by those that were undone.",
    elected=True,
)
EVENTS_HELD = Metric(
    "eco2.event.held_age",
    Kind.GAUGE,
    "s",
    "How long the oldest event has waited for a transaction that began before it; no consumer sees it before. 0: none.",
    elected=True,
)

_SECONDS = (0.1, 0.25, 0.5, 1, 2, 3, 5, 8, 12, 20, 30, 60, 120, 300)

CREATED = Metric(
    "eco2.scan.created", Kind.COUNTER, "{scan}", "Scans that were stored; repetitions of a request aren't counted."
)
ADMISSIONS = Metric(
    "eco2.scan.admissions",
    Kind.COUNTER,
    "{scan}",
    "Scans that asked to be created or started, by whether there was room; repetitions count, too.",
    {"eco2.scan.priority": PRIORITIES, "eco2.outcome": ("admitted", "refused")},
)
ENDED = Metric(
    "eco2.scan.ended",
    Kind.COUNTER,
    "{scan}",
    "Scans by their end. One that is replayed and fails again counts once more.",
    {
        "eco2.scan.state": ("succeeded", "failed", "cancelled", "expired"),
        "error.type": "a reason of `mesh.reasons.Reason` where it failed, else absent",
    },
)
FIRST_RESULT = Metric(
    "eco2.scan.first_result.duration",
    Kind.HISTOGRAM,
    "s",
    "From the moment a scan was queued until its classification is shown; batch scans, which wait on purpose, apart.",
    buckets=_SECONDS,
)
DURATION = Metric(
    "eco2.scan.duration",
    Kind.HISTOGRAM,
    "s",
    "From the moment a scan was queued until its end; batch scans apart.",
    {"eco2.scan.state": ("succeeded", "failed")},
    _SECONDS,
)
OVERHEAD = Metric(
    "eco2.scan.overhead.duration",
    Kind.HISTOGRAM,
    "s",
    "The same less what classifier and writer took: waiting, photos, storage. Of scans that succeeded at one worker.",
    buckets=(0.025, 0.05, *_SECONDS),
)
STAGE = Metric(
    "eco2.stage.duration",
    Kind.HISTOGRAM,
    "s",
    "Tries of a stage by how they ended; fenced: somebody else had the job by then.",
    {
        "eco2.stage": ("vision", "rules", "answer", "reward"),
        "eco2.outcome": ("succeeded", "retried", "failed", "fenced"),
    },
    (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60),
)
LEASE_LOSSES = Metric(
    "eco2.job.lease_losses",
    Kind.COUNTER,
    "{lease}",
    "Results that came when somebody else had the job: taken from a worker that was believed dead, or cancelled.",
    {"eco2.job.kind": _KINDS},
)
RESCUED = Metric(
    "eco2.job.rescued", Kind.COUNTER, "{job}", "Jobs taken back from workers that crashed, froze or were cut off."
)
QUARANTINED = Metric(
    "eco2.job.quarantined", Kind.COUNTER, "{job}", "Jobs that were run apart since several of their workers crashed."
)
DEAD_LETTERS = Metric(
    "eco2.job.dead_letters",
    Kind.COUNTER,
    "{job}",
    "Scans, rewards and client jobs that failed for good and may be replayed.",
    {"eco2.stage": ("vision", "rules", "answer", "reward", "run")},
)
REPLAYS = Metric(
    "eco2.job.replays",
    Kind.COUNTER,
    "{job}",
    "Dead letters that were replayed, by themselves or by a person, or set aside for a person.",
    {"eco2.outcome": ("replayed", "archived")},
)
DELIVERY = Metric(
    "eco2.webhook.delivery.duration",
    Kind.HISTOGRAM,
    "s",
    "Tries to deliver webhooks; failed: the last one, or the receiver wants no more.",
    {"eco2.outcome": ("delivered", "retried", "failed")},
    (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
PHOTOS_REMOVED = Metric(
    "eco2.photo_removal.removed",
    Kind.COUNTER,
    "{photo}",
    "Photos removed from storage and caches, or left for later since one of them is away.",
    {"eco2.outcome": ("removed", "failed")},
)
WORKER_JOBS = Metric(
    "eco2.worker.jobs",
    Kind.UP_DOWN_COUNTER,
    "{job}",
    "Jobs at work in this process.",
    {"eco2.job.kind": _KINDS},
)
WORKER_CAPACITY = Metric(
    "eco2.worker.capacity", Kind.GAUGE, "{job}", "Room for them in this process.", {"eco2.job.kind": _KINDS}
)
WATCHES = Metric(
    "eco2.watch.active", Kind.UP_DOWN_COUNTER, "{watch}", "Watches and long polls of this process, of whatever kind."
)
WATCH_LAG = Metric(
    "eco2.watch.lag",
    Kind.HISTOGRAM,
    "s",
    "From a change's commit until it is handed to a watcher, by the clocks of two processes.",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
METRICS = (
    CREATED, ADMISSIONS, ENDED, FIRST_RESULT, DURATION, OVERHEAD, STAGE, QUEUE_JOBS, QUEUE_OLDEST_AGE, WORKER_JOBS,
    BATCH_OLDEST_AGE, WORKER_CAPACITY, LEASE_LOSSES, RESCUED, QUARANTINED, DEAD_LETTERS, REPLAYS, DELIVERY,
    OLDEST_WEBHOOK, PHOTOS_REMOVED, PHOTOS_TO_REMOVE, WATCHES, WATCH_LAG, BUDGET_LIMIT, BUDGET_LEFT,
    EVENT_CONSUMERS, EVENTS_WRITTEN, EVENTS_HELD,
)  # fmt: skip
