-- A scan has failed for good. DEAD may be replayed, ARCHIVED never by itself. No row means fenced.
with buried as (
    update scan.job
    set state = $4, worker_id = null, token = token + 1, last_error = $3::jsonb, run_at = now()
    where id = $1 and token = $2
    returning ref, token
)
update scan.scan s
set state = 'FAILED', version = buried.token * 10000, error = $3::jsonb, finished_at = now()
from buried where s.id = buried.ref
returning s.version, s.finished_at
