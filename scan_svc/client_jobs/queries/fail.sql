-- A client job has failed for good. DEAD may be replayed, ARCHIVED never by itself; its cursor stays where it is. No row
-- means fenced.
-- $1 job, $2 token, $3 error, $4 state
with given_up as (
    update scan.job
    set state = $4, worker_id = null, token = token + 1, last_error = $3::jsonb, run_at = now()
    where id = $1 and token = $2
    returning ref, token, percent, step, done, total
)
update scan.client_job c
set state = 'FAILED', version = given_up.token * 10000, percent = given_up.percent, step = given_up.step,
    done = coalesce(given_up.done, 0), total = coalesce(given_up.total, 0), error = $3::jsonb, finished_at = now()
from given_up where c.id = given_up.ref
returning c.id
