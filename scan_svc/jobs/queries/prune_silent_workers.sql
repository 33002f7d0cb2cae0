-- Workers that haven't been heard of for a lease. Apart from `rescue_orphaned_jobs`, so that a claim that holds its worker's
-- row commits first and its jobs are seen there.
delete from scan.worker where beat_at < now() - make_interval(secs => $1)
