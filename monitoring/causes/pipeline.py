"""The queue, its workers, and what comes out of them."""

from monitoring.alerts import Alert
from monitoring.durations import HOUR, MINUTE

# Batch scans are refused by design while others wait.
_ASKED = 'eco2_scan_admissions_total{eco2_scan_priority="interactive"}'
_REFUSED = 'eco2_scan_admissions_total{eco2_scan_priority="interactive", eco2_outcome="refused"}'

PIPELINE = (
    Alert(
        "Eco2QueueStalled",
        'max by (namespace, eco2_stage) (eco2_queue_oldest_age_seconds{eco2_job_kind="scan"}) > ${1m}',
        "page",
        "Scans wait for a worker at {{ $labels.eco2_stage }}.",
        "The oldest one that could be worked on has waited for {{ $value | humanizeDuration }}.",
        lasting=2 * MINUTE,
    ),
    Alert(
        "Eco2NoWorkers",
        "count by (namespace) (eco2_queue_jobs)\n"
        'unless on (namespace) sum by (namespace) (eco2_worker_capacity{eco2_job_kind="scan"}) > 0',
        "page",
        "Nobody works on scans.",
        "No process has room for scans: they are accepted, and wait.",
        lasting=2 * MINUTE,
    ),
    Alert(
        "Eco2QueueUnmeasured",
        'sum by (namespace) (up{job=~"eco2-.+", job!~"eco2-(operators-)?edge"})\n'
        "unless on (namespace) count by (namespace) (eco2_queue_jobs)",
        "page",
        "Nobody tells how long the queue is.",
        "No Scan process reports the queue, so alerts on it are blind.",
    ),
    Alert(
        "Eco2JobsLate",
        'max by (namespace, eco2_job_kind) (eco2_queue_oldest_age_seconds{eco2_job_kind!="scan"}) > ${5m}',
        "ticket",
        "A {{ $labels.eco2_job_kind }} waits for a worker.",
        "The oldest one that could be worked on has waited for {{ $value | humanizeDuration }}.",
    ),
    Alert(
        "Eco2ScansRefused",
        f"sum by (namespace) (rate({_REFUSED}[5m]))\n/ sum by (namespace) (rate({_ASKED}[5m])) > 0.01",
        "page",
        "New scans are refused: more wait than get done in time.",
        "{{ $value | humanizePercentage }} of scans for which somebody waits are answered 429 by admission.",
    ),
    Alert(
        "Eco2DeadLettersGrow",
        # Not the counter of dead letters: a reason's series begins with its first one, which no rate sees.
        "max by (namespace, eco2_job_kind, eco2_stage) "
        '(delta(eco2_queue_jobs{eco2_job_state="dead", eco2_job_kind!="webhook"}[15m])) > 5',
        "ticket",
        "Jobs die at {{ $labels.eco2_stage }}.",
        "{{ $value | humanize }} more dead letters than 15 minutes ago. They are replayed by themselves, three times.",
        lasting=0,
    ),
    Alert(
        "Eco2DeadLettersArchived",
        'sum by (namespace) (increase(eco2_job_replays_total{eco2_outcome="archived"}[1h])) > 0',
        "ticket",
        "Dead letters wait for a person.",
        "{{ $value | humanize }} were archived in an hour: no replay mended them.",
        lasting=0,
    ),
    Alert(
        "Eco2WorkersLost",
        "sum by (namespace) (increase(eco2_job_rescued_total[10m])) > 3",
        "ticket",
        "Workers fall silent with scans in hand.",
        "{{ $value | humanize }} scans were taken back from crashed or frozen workers in ten minutes.",
        lasting=0,
    ),
    Alert(
        "Eco2LeasesLost",
        "sum by (namespace, eco2_job_kind) (increase(eco2_job_lease_losses_total[10m])) > 5",
        "ticket",
        "Workers lose the leases of jobs they work on.",
        "{{ $value | humanize }} results of {{ $labels.eco2_job_kind }} jobs came too late in ten minutes.",
        lasting=0,
    ),
    Alert(
        "Eco2JobsQuarantined",
        "sum by (namespace) (increase(eco2_job_quarantined_total[1h])) > 0",
        "ticket",
        "A scan may be killing the workers that run it.",
        "{{ $value | humanize }} scans were run apart within an hour.",
        lasting=0,
    ),
    Alert(
        "Eco2WebhookReceiverDown",
        "max by (namespace) (eco2_webhook_oldest_undelivered_age_seconds) > ${6h}",
        "ticket",
        "A webhook can't be delivered.",
        "The oldest one has been tried for {{ $value | humanizeDuration }}; after a day it is given up.",
    ),
    Alert(
        "Eco2PhotosNotRemoved",
        "max by (namespace) (eco2_photo_removal_waiting) > 0\n"
        'and on (namespace) sum by (namespace) (increase(eco2_photo_removal_removed_total{eco2_outcome="failed"}[1h]))'
        " > 0",
        "ticket",
        "Photos that should be gone are still there.",
        "{{ $value | humanize }} wait for their removal, and storage or the CDN refuses it.",
        lasting=HOUR,
    ),
)
