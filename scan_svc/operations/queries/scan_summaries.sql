-- Scans as operators see them: nothing of what they are about.
select s.id, s.user_id, s.created_at, s.started_at, s.finished_at, s.error ->> 'reason' as reason,
       case j.state when 'LEASED' then 'RUNNING' else s.state end as state, j.stage, j.attempt, j.worker_id,
       extract(epoch from coalesce(s.finished_at, now()) - s.started_at)::float8 as seconds,
       case when j.state = 'READY' and j.run_at > now() then j.run_at end as due_at,
       coalesce((
           select sum((run -> 'usage' ->> 'cost_micro_usd')::bigint)
           from jsonb_array_elements(coalesce(
               s.stages, (select jsonb_agg(r.run) from scan.stage_result r where r.job_id = j.id), '[]'::jsonb)) as run
       ), 0)::bigint + coalesce((j.spent ->> 'cost_micro_usd')::bigint, 0) as cost_micro_usd
from scan.scan s
left join scan.job j on j.kind = 'scan' and j.ref = s.id
where s.id = any ($1::uuid[])
