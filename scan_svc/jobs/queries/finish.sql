-- The answers of many scans are there: each scan takes its results over, its job is gone, its webhook is due, and so is
-- its reward ($7) as a job of its own, leased at once to the worker that asks if it has room ($8); in one statement and
-- one commit. What the classifier said is counted, for its accuracy; of hidden scans neither that nor a reward. A job that isn't returned is fenced.
with given as (
    select * from unnest($1::bigint[], $2::integer[], $3::text[], $4::integer[], $5::jsonb[], $6::jsonb[], $7::boolean[],
                         $8::bigint[])
        as given (id, token, stage, version, outputs, stages, rewarded, worker_id)
), ended as (
    delete from scan.job j using given
    where j.id = given.id and j.token = given.token and j.stage = given.stage
    returning j.id, j.token, j.ref, j.traceparent, given.version, given.outputs, given.stages, given.rewarded,
              given.worker_id
), cleared as (
    delete from scan.stage_result r using ended where r.job_id = ended.id
), succeeded as (
    update scan.scan s
    set state = 'SUCCEEDED', version = ended.version, percent = 100, step = 'done', outputs = ended.outputs,
        stages = ended.stages, finished_at = now(), trace_id = coalesce(substr(ended.traceparent, 4, 32), '')
    from ended where s.id = ended.ref
    returning ended.id as job_id, ended.token, s.version, s.id, s.user_id, s.callback_url, s.finished_at,
              ended.rewarded and not s.hidden as rewarded, ended.worker_id, ended.traceparent,
              ended.outputs -> 'vision' as vision, s.hidden
), counted as (
    insert into scan.accuracy as a (category, tenth, provider, model, shard, answered)
    select scan.category(seen -> 'category'), scan.tenth(seen), coalesce(seen ->> 'provider', ''),
           coalesce(seen ->> 'model', ''), pg_backend_pid() % 16, count(*)
    from succeeded, scan.sighting(vision) as seen
    where jsonb_typeof(vision) = 'object' and not hidden
    group by 1, 2, 3, 4
    order by 1, 2, 3, 4  -- so that two statements can't wait for each other
    on conflict (category, tenth, provider, model, shard) do update set answered = a.answered + excluded.answered
), webhook as (
    select scan_id
    from scan.make_webhooks((select array_agg(id) from succeeded where callback_url <> ''), 'scan.succeeded') as due (scan_id)
), reward_job as (
    insert into scan.job (kind, ref, state, stage, worker_id, token, attempt, traceparent)
    select 'reward', id, case when worker_id is null then 'READY' else 'LEASED' end, 'reward', worker_id,
           case when worker_id is null then 0 else 1 end, case when worker_id is null then 0 else 1 end, traceparent
    from succeeded where rewarded
    on conflict do nothing
    returning id, ref
)
select job_id as id, token, version, finished_at, id in (select scan_id from webhook) as webhook_due,
       (select r.id from reward_job r where r.ref = succeeded.id) as reward_job_id
from succeeded
