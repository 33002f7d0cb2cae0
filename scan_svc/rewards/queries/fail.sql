-- A reward can't be had for now. DEAD may be replayed, ARCHIVED never by itself; the scan stays as it is, it has
-- succeeded. The try, which took $5 ms, is noted for operators. No row means fenced.
with given_up as (
    update scan.job
    set state = $4, worker_id = null, token = token + 1, last_error = $3::jsonb, run_at = now()
    where kind = 'reward' and id = $1 and token = $2
    returning id, ref, stage, attempt, old.worker_id
), noted as (
    insert into scan.failed_attempt (scan_id, stage, attempt, worker_id, duration_ms, error)
    select ref, stage, attempt, worker_id, $5, $3::jsonb from given_up
)
select id from given_up
