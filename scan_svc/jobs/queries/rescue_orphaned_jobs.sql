-- Jobs whose worker is gone become ready again, with their attempt given back; a scan that was in five crashes of one
-- stage is archived, so is a reward (its scan has succeeded all the same) and a client job that never came further, and
-- anything else is simply tried again. A random delay spreads them over the workers, but for suspects, which run apart anyhow; SKIP LOCKED leaves rows alone that
-- another rescue or a late write holds. Who is gone is settled first: of a row that has changed since, its own columns are
-- looked at again as it is locked, but no other table; so one that was released and claimed meanwhile would be taken from
-- a living worker.
with gone as materialized (
    select distinct j.worker_id from scan.job j
    where j.state = 'LEASED' and not exists (select from scan.worker w where w.id = j.worker_id)
), orphan as (
    select j.id, c.id is not null as client_job, c.id is not null or j.kind in ('scan', 'reward') as archivable
    from scan.job j left join scan.client_job c on c.kind = j.kind and c.id = j.ref
    where j.state = 'LEASED' and j.worker_id in (select worker_id from gone)
    for update of j skip locked
), released as (
    update scan.job j
    set state = case when orphan.archivable and j.crashes + 1 >= 5 then 'ARCHIVED' else 'READY' end,
        worker_id = null, token = j.token + 1, version = (j.token + 1) * 10000, step = 'retry',
        crashes = j.crashes + 1, attempt = greatest(j.attempt - 1, 0),
        run_at = now() + case when j.crashes = 0 then random() else 0 end * interval '1 second',
        last_error = case when orphan.archivable and j.crashes + 1 >= 5 then $1::jsonb else j.last_error end
    from orphan where j.id = orphan.id
    returning j.kind, j.ref, j.token, j.state, j.percent, j.stage, j.done, j.total, orphan.client_job, old.attempt, old.worker_id
), noted as (
    insert into scan.failed_attempt (scan_id, stage, attempt, worker_id)
    select ref, stage, attempt, worker_id from released where kind in ('scan', 'reward')
), failed as (
    update scan.scan s
    set state = 'FAILED', version = released.token * 10000, percent = released.percent, step = 'retry',
        error = $1::jsonb, finished_at = now()
    from released where released.kind = 'scan' and released.state = 'ARCHIVED' and s.id = released.ref
    returning s.id, s.user_id, s.callback_url
), client_job as (
    update scan.client_job c
    set state = 'FAILED', version = released.token * 10000, percent = released.percent, step = 'retry',
        done = coalesce(released.done, 0), total = coalesce(released.total, 0), error = $1::jsonb, finished_at = now()
    from released where released.client_job and released.state = 'ARCHIVED' and c.id = released.ref
), webhook as (
    select scan_id
    from scan.make_webhooks((select array_agg(id) from failed where callback_url <> ''), 'scan.failed') as due (scan_id)
)
select ref as id, exists (select from webhook) as webhook_due from released where kind = 'scan' or client_job
