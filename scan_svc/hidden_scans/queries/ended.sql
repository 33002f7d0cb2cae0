-- Which of some scans have ended or are gone, and what models have cost for each, failed tries included.
select given.id,
       coalesce((
           select sum((run -> 'usage' ->> 'cost_micro_usd')::bigint)
           from jsonb_array_elements(coalesce(
               s.stages, (select jsonb_agg(r.run) from scan.stage_result r where r.job_id = j.id)
           )) as run
           where run -> 'usage' ? 'cost_micro_usd'
       ), 0)::bigint + coalesce((j.spent ->> 'cost_micro_usd')::bigint, 0) as cost_micro_usd
from unnest($1::uuid[]) as given (id)
left join scan.scan s on s.id = given.id
left join scan.job j on j.kind = 'scan' and j.ref = s.id
where s.id is null or s.finished_at is not null
