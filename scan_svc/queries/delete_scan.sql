-- Removes a scan with its job, its results and its webhooks; what it cost stays, for billing.
with job as (
    delete from scan.job where kind = 'scan' and ref = $1
    returning id, stage, attempt, spent, pg_notify('scan_stop', id::text)
), results as (
    delete from scan.stage_result r using job where r.job_id = job.id returning r.run, r.finished_at
), gone as (
    delete from scan.scan where id = $1 returning id, user_id, created_at, stages, callback_url
)
insert into scan.tombstone (scan_id, user_id, created_at, usage)
select id, user_id, created_at,
       coalesce(stages, (select jsonb_agg(run order by finished_at) from results), '[]'::jsonb)
       -- A stage that never finished may have cost something, too.
       || coalesce((select jsonb_build_array(jsonb_build_object('stage', stage, 'attempts', attempt, 'duration_ms', 0,
                                                                'usage', spent)) from job where spent is not null), '[]'::jsonb)
from gone
returning user_id, (select callback_url from gone) as callback_url
