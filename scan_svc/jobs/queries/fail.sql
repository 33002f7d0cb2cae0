-- A scan has failed for good, and is shown from then on as far as readers have seen it come. DEAD may be replayed,
-- ARCHIVED never by itself; its results stay where they are. The try, which took $8 ms, is noted for operators. No row
-- means fenced.
with given_up as (
    update scan.job
    set state = $4, worker_id = null, token = token + 1, last_error = $3::jsonb, run_at = now(),
        spent = nullif($5::jsonb, 'null')
    where id = $1 and token = $2
    returning ref, token, stage, attempt, old.worker_id
), noted as (
    insert into scan.failed_attempt (scan_id, stage, attempt, worker_id, duration_ms, error)
    select ref, stage, attempt, worker_id, $8, $3::jsonb from given_up
), failed as (
    update scan.scan s
    set state = 'FAILED', version = given_up.token * 10000, percent = $6, step = $7,
        error = $3::jsonb, finished_at = now()
    from given_up where s.id = given_up.ref
    returning s.id, s.user_id, s.callback_url, s.version, s.finished_at
), webhook as (
    select scan_id
    from scan.make_webhooks((select array_agg(id) from failed where callback_url <> ''), 'scan.failed') as due (scan_id)
)
select version, finished_at, exists (select from webhook) as webhook_due from failed
