-- The last stages of many scans are done: each scan takes its results over, its job is gone, and its webhook is due; in
-- one statement and one commit. A job that isn't returned is fenced.
with given as (
    select * from unnest($1::bigint[], $2::integer[], $3::text[], $4::integer[], $5::jsonb[], $6::jsonb[])
        as given (id, token, stage, version, outputs, stages)
), ended as (
    delete from scan.job j using given
    where j.id = given.id and j.token = given.token and j.stage = given.stage
    returning j.id, j.token, j.ref, given.version, given.outputs, given.stages
), cleared as (
    delete from scan.stage_result r using ended where r.job_id = ended.id
), succeeded as (
    update scan.scan s
    set state = 'SUCCEEDED', version = ended.version, percent = 100, step = 'done', outputs = ended.outputs,
        stages = ended.stages, finished_at = now()
    from ended where s.id = ended.ref
    returning ended.id as job_id, ended.token, s.version, s.id, s.user_id, s.callback_url, s.finished_at
), webhook as (
    insert into scan.webhook (id, scan_id, event)
    select uuidv7(), succeeded.id, 'scan.succeeded'
    from succeeded
    join scan.webhook_endpoint e on e.user_id = succeeded.user_id and e.url = succeeded.callback_url
    where succeeded.callback_url <> '' and e.gone_at is null
    on conflict do nothing
    returning id, scan_id
), webhook_job as (
    insert into scan.job (kind, ref, state, stage) select 'webhook', id, 'READY', 'deliver' from webhook
)
select job_id as id, token, version, finished_at, id in (select scan_id from webhook) as webhook_due from succeeded
