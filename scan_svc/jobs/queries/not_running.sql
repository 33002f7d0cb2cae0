-- Rows leased to a worker that it isn't working on ($3 lists what it is): an answer to a claim that was lost. $4: how many
-- seconds ago they must have been due, where a job may be leased by another statement whose answer is still on its way.
update scan.job
set state = 'READY', worker_id = null, token = token + 1, version = (token + 1) * 10000,
    attempt = greatest(attempt - 1, 0), run_at = now()
where state = 'LEASED' and worker_id = $1 and kind = $2 and not id = any ($3::bigint[])
  and run_at <= now() - make_interval(secs => $4)
returning id
