-- A webhook that wasn't tried goes back with its attempt, and is due in $3 seconds. No row means fenced.
update scan.job
set state = 'READY', worker_id = null, token = token + 1, attempt = greatest(attempt - 1, 0),
    run_at = now() + make_interval(secs => $3)
where id = $1 and token = $2
returning ref
