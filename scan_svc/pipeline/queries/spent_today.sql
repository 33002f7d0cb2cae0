-- Millionths of a dollar that models have cost since the day of UTC began: of one user, or of everybody if $1 is null. By
-- what is stored, so without calls under way. Scans of yesterday may have ended today; older ones are few, and replays.
with day as (
    select date_trunc('day', now(), 'UTC') as began
), recent as (
    select s.id, s.stages, s.finished_at
    from day, scan.scan s
    where s.id >= (select uuidv7(began - now() - interval '1 day') from day) and ($1::text is null or s.user_id = $1)
), paid as (
    select run -> 'usage' as usage
    from day, recent, jsonb_array_elements(recent.stages) as run
    where recent.finished_at >= began and run ->> 'stage' <> 'reply'
    union all
    select r.run -> 'usage'
    from day, recent
    join scan.job j on j.kind = 'scan' and j.ref = recent.id
    join scan.stage_result r on r.job_id = j.id
    where recent.stages is null and r.finished_at >= began
    union all
    select j.spent
    from recent join scan.job j on j.kind = 'scan' and j.ref = recent.id
    where j.spent is not null
    union all
    select run -> 'usage'
    from day, scan.tombstone t, jsonb_array_elements(t.usage) as run
    where t.created_at >= began and ($1::text is null or t.user_id = $1) and run ->> 'stage' <> 'reply'
      and t.scan_id >= (select uuidv7(began - now() - interval '1 day') from day)
    union all
    -- Clips that are no scan yet, or never will be.
    select jsonb_build_object('cost_micro_usd', c.cost_micro_usd)
    from day, scan.client_job c
    where c.id >= (select uuidv7(began - now() - interval '1 day') from day) and ($1::text is null or c.user_id = $1)
      and c.kind = 'video' and c.state <> 'SUCCEEDED' and coalesce(c.finished_at >= began, true)
      and not exists (select from scan.scan s where s.client_job_id = c.id)
)
select (coalesce((select sum((usage ->> 'cost_micro_usd')::bigint) from paid where usage ? 'cost_micro_usd'), 0)
    + coalesce((select sum(micro_usd) from day, scan.reply_cost
                where at >= began and ($1::text is null or user_id = $1)), 0))::bigint
