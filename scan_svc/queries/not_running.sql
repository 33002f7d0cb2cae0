-- Rows leased to a worker that it isn't working on ($3 lists what it is): an answer to a claim that was lost.
update scan.job
set state = 'READY', worker_id = null, token = token + 1, version = (token + 1) * 10000,
    attempt = greatest(attempt - 1, 0), run_at = now()
where state = 'LEASED' and worker_id = $1 and kind = $2 and not id = any ($3::bigint[])
returning id
