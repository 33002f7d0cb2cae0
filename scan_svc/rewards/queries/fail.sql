-- A reward can't be had for now. DEAD may be replayed, ARCHIVED never by itself; the scan stays as it is, it has
-- succeeded. No row means fenced.
update scan.job
set state = $4, worker_id = null, token = token + 1, last_error = $3::jsonb, run_at = now()
where kind = 'reward' and id = $1 and token = $2
returning id
