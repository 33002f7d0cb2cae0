-- A try has failed: the next one is due in $6 seconds, or there is none (null) and the webhook is dead. No row means
-- fenced.
with released as (
    update scan.job
    set state = case when $6::float8 is null then 'DEAD' else 'READY' end, worker_id = null, token = token + 1,
        run_at = now() + make_interval(secs => coalesce($6, 0))
    where id = $1 and token = $2
    returning ref, attempt
)
insert into scan.webhook_attempt (webhook_id, attempt, status, error, duration_ms)
select ref, attempt, $3, $4, $5 from released
returning webhook_id
