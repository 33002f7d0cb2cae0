"""Where scans are, and what holds them up."""

from monitoring.dashboards.boards import Board, Panel, Query, Row

_STAGES = "eco2_stage_duration_seconds"

PIPELINE = Board(
    "pipeline",
    "Eco² / Pipeline",
    "The queue, its stages and workers, dead letters, webhooks, photos.",
    rows=(
        Row(
            "Queue",
            (
                Panel(
                    "Oldest scan that waits",
                    "By stage; 99 % of the time under a minute. Batch scans wait on purpose.",
                    "s",
                    [
                        Query(
                            'max by (eco2_stage) (eco2_queue_oldest_age_seconds{$release, eco2_job_kind="scan"})',
                            "{{eco2_stage}}",
                        ),
                        Query(
                            "max by (eco2_stage) (eco2_queue_batch_oldest_age_seconds{$release})",
                            "batch {{eco2_stage}}",
                        ),
                    ],
                    limit=60,
                    runbooks=["Eco2QueueStalled", "Eco2QueueFreshnessBudgetBurn", "Eco2QueueUnmeasured"],
                ),
                Panel(
                    "Jobs",
                    "Ready: they wait. In flight: a worker has them. Dead: they wait for a replay.",
                    "short",
                    [
                        Query(
                            "max by (eco2_job_kind, eco2_stage, eco2_job_state) (eco2_queue_jobs{$release})",
                            "{{eco2_job_kind}} {{eco2_stage}} {{eco2_job_state}}",
                        )
                    ],
                ),
                Panel(
                    "Workers: room and use",
                    "Scans at work, and how many there is room for.",
                    "short",
                    [
                        Query('sum(eco2_worker_jobs{$ours, eco2_job_kind="scan"})', "at work"),
                        Query('sum(eco2_worker_capacity{$ours, eco2_job_kind="scan"})', "room"),
                    ],
                    runbooks=["Eco2NoWorkers"],
                ),
                Panel(
                    "Other work that waits",
                    "Rewards, webhooks, exports: the oldest of each.",
                    "s",
                    [
                        Query(
                            'max by (eco2_job_kind) (eco2_queue_oldest_age_seconds{$release, eco2_job_kind!="scan"})',
                            "{{eco2_job_kind}}",
                        )
                    ],
                    limit=300,
                    runbooks=["Eco2JobsLate"],
                ),
                Panel(
                    "Creations refused",
                    "Share that admission answers 429. Batch scans are refused on purpose while others wait.",
                    "percentunit",
                    [
                        Query(
                            "sum by (eco2_scan_priority) (rate(eco2_scan_admissions_total{$ours, "
                            'eco2_outcome="refused"}[$__rate_interval]))'
                            " / sum by (eco2_scan_priority) "
                            "(rate(eco2_scan_admissions_total{$ours}[$__rate_interval]))",
                            "{{eco2_scan_priority}}",
                        )
                    ],
                    limit=0.01,
                    runbooks=["Eco2ScansRefused"],
                ),
            ),
        ),
        Row(
            "Stages",
            (
                Panel(
                    "Seconds of a stage",
                    "p95 of one try.",
                    "s",
                    [
                        Query(
                            f"histogram_quantile(0.95, sum by (eco2_stage, le) (rate({_STAGES}_bucket{{$ours}}"
                            "[$__rate_interval])))",
                            "{{eco2_stage}}",
                        )
                    ],
                ),
                Panel(
                    "Tries",
                    "By stage and outcome.",
                    "eps",
                    [
                        Query(
                            f"sum by (eco2_stage, eco2_outcome) (rate({_STAGES}_count{{$ours}}[$__rate_interval]))",
                            "{{eco2_stage}} {{eco2_outcome}}",
                        )
                    ],
                ),
                Panel(
                    "Tries that didn't succeed",
                    "Share, by stage.",
                    "percentunit",
                    [
                        Query(
                            f'sum by (eco2_stage) (rate({_STAGES}_count{{$ours, eco2_outcome!="succeeded"}}'
                            "[$__rate_interval]))"
                            f" / sum by (eco2_stage) (rate({_STAGES}_count{{$ours}}[$__rate_interval]))",
                            "{{eco2_stage}}",
                        )
                    ],
                ),
            ),
        ),
        Row(
            "What goes wrong",
            (
                Panel(
                    "Scans that failed",
                    "By reason.",
                    "eps",
                    [
                        Query(
                            "sum by (error_type) "
                            '(rate(eco2_scan_ended_total{$ours, eco2_scan_state="failed"}[$__rate_interval]))',
                            "{{error_type}}",
                        )
                    ],
                    runbooks=["Eco2ScanSuccessBudgetBurn"],
                ),
                Panel(
                    "Dead letters",
                    "New ones by stage, within 15 minutes.",
                    "short",
                    [
                        Query(
                            "sum by (eco2_stage) (increase(eco2_job_dead_letters_total{$ours}[15m]))",
                            "{{eco2_stage}}",
                        )
                    ],
                    limit=5,
                    runbooks=["Eco2DeadLettersGrow", "Eco2DeadLettersArchived"],
                ),
                Panel(
                    "Replays",
                    "Dead letters tried again, or archived for a person, within an hour.",
                    "short",
                    [
                        Query(
                            "sum by (eco2_outcome) (increase(eco2_job_replays_total{$ours}[1h]))",
                            "{{eco2_outcome}}",
                        )
                    ],
                    runbooks=["Eco2DeadLettersArchived"],
                ),
                Panel(
                    "Taken back from silent workers",
                    "And run apart, as suspects of their crash; within ten minutes.",
                    "short",
                    [
                        Query("sum(increase(eco2_job_rescued_total{$ours}[10m]))", "taken back"),
                        Query("sum(increase(eco2_job_quarantined_total{$ours}[10m]))", "run apart"),
                    ],
                    limit=3,
                    runbooks=["Eco2WorkersLost", "Eco2JobsQuarantined"],
                ),
                Panel(
                    "Leases lost",
                    "Results that came when somebody else had the job, within ten minutes.",
                    "short",
                    [
                        Query(
                            "sum by (eco2_job_kind) (increase(eco2_job_lease_losses_total{$ours}[10m]))",
                            "{{eco2_job_kind}}",
                        )
                    ],
                    limit=5,
                    runbooks=["Eco2LeasesLost"],
                ),
            ),
        ),
        Row(
            "Webhooks",
            (
                Panel(
                    "Oldest undelivered",
                    "Tries included; given up after a day.",
                    "s",
                    [Query("max(eco2_webhook_oldest_undelivered_age_seconds{$release})", "oldest")],
                    limit=21600,
                    runbooks=["Eco2WebhookReceiverDown"],
                ),
                Panel(
                    "Tries to deliver",
                    "By outcome.",
                    "eps",
                    [
                        Query(
                            "sum by (eco2_outcome) "
                            "(rate(eco2_webhook_delivery_duration_seconds_count{$ours}[$__rate_interval]))",
                            "{{eco2_outcome}}",
                        )
                    ],
                    runbooks=["Eco2WebhookDeliveryBudgetBurn"],
                ),
                Panel(
                    "Seconds of a try",
                    "p95: how long receivers take.",
                    "s",
                    [
                        Query(
                            "histogram_quantile(0.95, sum by (le) "
                            "(rate(eco2_webhook_delivery_duration_seconds_bucket{$ours}[$__rate_interval])))",
                            "p95",
                        )
                    ],
                ),
            ),
        ),
        Row(
            "Photos",
            (
                Panel(
                    "Seconds to decode and clean",
                    "p95, by outcome.",
                    "s",
                    [
                        Query(
                            "histogram_quantile(0.95, sum by (eco2_outcome, le) "
                            "(rate(eco2_decoder_duration_seconds_bucket{$ours}[$__rate_interval])))",
                            "{{eco2_outcome}}",
                        )
                    ],
                ),
                Panel(
                    "Decoders",
                    "Busy ones, photos that wait for one, and how many there may be.",
                    "short",
                    [
                        Query('sum(eco2_decoder_processes{$ours, eco2_state="busy"})', "busy"),
                        Query("sum(eco2_decoder_waiting{$ours})", "waiting"),
                        Query("sum(eco2_decoder_limit{$ours})", "may be"),
                    ],
                ),
                Panel(
                    "Waiting for removal",
                    "Photos that should be gone.",
                    "short",
                    [Query("max(eco2_photo_removal_waiting{$release})", "waiting")],
                    runbooks=["Eco2PhotosNotRemoved"],
                ),
                Panel(
                    "Cache hits",
                    "Share of lookups, by cache.",
                    "percentunit",
                    [
                        Query(
                            'sum by (eco2_cache) (rate(eco2_cache_lookups_total{$ours, eco2_outcome="hit"}'
                            "[$__rate_interval]))"
                            " / sum by (eco2_cache) (rate(eco2_cache_lookups_total{$ours}[$__rate_interval]))",
                            "{{eco2_cache}}",
                        )
                    ],
                ),
                Panel(
                    "Who classified",
                    "Which classifier answered, and which were passed over for what.",
                    "eps",
                    [
                        Query(
                            "sum by (eco2_classifier, eco2_outcome) "
                            "(rate(eco2_classifier_results_total{$ours}[$__rate_interval]))",
                            "{{eco2_classifier}} {{eco2_outcome}}",
                        )
                    ],
                ),
                Panel(
                    "Confidence of the offline model",
                    "Median. It drifts when users' photos differ from those it learnt from.",
                    "percentunit",
                    [
                        Query(
                            "histogram_quantile(0.5, sum by (le) "
                            "(rate(eco2_classifier_confidence_bucket{$ours}[$__rate_interval])))",
                            "median",
                        )
                    ],
                ),
            ),
        ),
    ),
)
