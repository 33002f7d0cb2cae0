-- A scan has failed for good, and is shown from then on as far as readers have seen it come. DEAD may be replayed,
-- ARCHIVED never by itself; its results stay where they are. No row means fenced.
with given_up as (
    update scan.job
    set state = $4, worker_id = null, token = token + 1, last_error = $3::jsonb, run_at = now(),
        spent = nullif($5::jsonb, 'null')
    where id = $1 and token = $2
    returning ref, token
), failed as (
    update scan.scan s
    set state = 'FAILED', version = given_up.token * 10000, percent = $6, step = $7,
        error = $3::jsonb, finished_at = now()
    from given_up where s.id = given_up.ref
    returning s.id, s.user_id, s.callback_url, s.version, s.finished_at
), webhook as (
    insert into scan.webhook (id, scan_id, event)
    select uuidv7(), failed.id, 'scan.failed'
    from failed
    join scan.webhook_endpoint e on e.user_id = failed.user_id and e.url = failed.callback_url
    where failed.callback_url <> '' and e.gone_at is null
    on conflict do nothing
    returning id
), webhook_job as (
    insert into scan.job (kind, ref, state, stage) select 'webhook', id, 'READY', 'deliver' from webhook
)
select version, finished_at, exists (select from webhook) as webhook_due from failed
