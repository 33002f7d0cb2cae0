-- A worker that is leaving, or that can't read it, returns a job with its attempt, to be taken in $3 seconds: nothing was
-- wrong with it. No row means fenced.
update scan.job
set state = 'READY', worker_id = null, token = token + 1, version = (token + 1) * 10000, step = 'queue',
    attempt = attempt - 1, run_at = now() + make_interval(secs => $3)
where id = $1 and token = $2
returning version, percent
