-- A worker that is leaving returns a job with its attempt: nothing was wrong with it. No row means fenced.
update scan.job
set state = 'READY', worker_id = null, token = token + 1, version = (token + 1) * 10000, step = 'queue',
    attempt = attempt - 1, run_at = now()
where id = $1 and token = $2
returning version
