-- A stage failed and will be tried again in $4 seconds. No row means fenced.
with released as (
    update scan.job
    set state = 'READY', worker_id = null, token = token + 1, last_error = $3::jsonb,
        run_at = now() + make_interval(secs => $4)
    where id = $1 and token = $2
    returning ref, token
)
update scan.scan s set state = 'QUEUED', step = 'retry', version = released.token * 10000
from released where s.id = released.ref
returning s.version
