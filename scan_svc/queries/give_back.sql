-- A worker that is leaving returns a job with its attempt: nothing was wrong with it. No row means fenced.
with released as (
    update scan.job
    set state = 'READY', worker_id = null, token = token + 1, attempt = attempt - 1, run_at = now()
    where id = $1 and token = $2
    returning ref, token, pg_notify('scan_ready', '')
)
update scan.scan s set state = 'QUEUED', step = 'queue', version = released.token * 10000
from released where s.id = released.ref
returning s.version
