-- Try $7 has failed: the next one is due in $6 seconds, or there is none (null) and the webhook is dead; but if it was to
-- be delivered again meanwhile, which set its attempts to 0, that is due now. No row means fenced.
with released as (
    update scan.job
    set state = case when $6::float8 is null and attempt > 0 then 'DEAD' else 'READY' end, worker_id = null, token = token + 1,
        run_at = now() + make_interval(secs => case when attempt > 0 then coalesce($6, 0) else 0 end)
    where id = $1 and token = $2
    returning ref
)
insert into scan.webhook_attempt (webhook_id, attempt, status, error, duration_ms)
select ref, $7, $3, $4, $5 from released
returning webhook_id
