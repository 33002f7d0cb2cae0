-- What models have cost since the day of UTC began, by model and stage; added up of what `spent_today` adds up.
with day as (
    select date_trunc('day', now(), 'UTC') as began
), recent as (
    select s.id, s.stages, s.finished_at
    from day, scan.scan s
    where s.id >= (select uuidv7(began - now() - interval '1 day') from day)
), paid as (
    select run ->> 'stage' as stage, run -> 'usage' as usage
    from day, recent, jsonb_array_elements(recent.stages) as run
    where recent.finished_at >= began and run ->> 'stage' <> 'reply'
    union all
    select r.stage, r.run -> 'usage'
    from day, recent
    join scan.job j on j.kind = 'scan' and j.ref = recent.id
    join scan.stage_result r on r.job_id = j.id
    where recent.stages is null and r.finished_at >= began
    union all
    select j.stage, j.spent
    from recent join scan.job j on j.kind = 'scan' and j.ref = recent.id
    where j.spent is not null
    union all
    select run ->> 'stage', run -> 'usage'
    from day, scan.tombstone t, jsonb_array_elements(t.usage) as run
    where t.created_at >= began and run ->> 'stage' <> 'reply'
      and t.scan_id >= (select uuidv7(began - now() - interval '1 day') from day)
)
select usage ->> 'model' as model, stage, sum((usage ->> 'calls')::bigint)::bigint as calls,
       sum((usage ->> 'input_tokens')::bigint)::bigint as input_tokens,
       sum((usage ->> 'output_tokens')::bigint)::bigint as output_tokens,
       sum((usage ->> 'cost_micro_usd')::bigint)::bigint as cost_micro_usd
from paid where usage ? 'cost_micro_usd'
group by 1, 2
union all
-- Clips that are no scan yet, or never will be: what their looks cost is kept as one sum.
select '', 'vision', null, null, null, sum(c.cost_micro_usd)::bigint
from day, scan.client_job c
where c.id >= (select uuidv7(began - now() - interval '1 day') from day)
  and c.kind = 'video' and c.state <> 'SUCCEEDED' and coalesce(c.finished_at >= began, true)
  and not exists (select from scan.scan s where s.client_job_id = c.id)
having sum(c.cost_micro_usd) > 0
union all
select '', 'reply', null, null, null, sum(micro_usd)::bigint from day, scan.reply_cost where at >= began having count(*) > 0
order by cost_micro_usd desc, model, stage
