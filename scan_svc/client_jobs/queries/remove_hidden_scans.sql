-- Removes up to $2 hidden scans of a client job, as `delete_scan` does one; what they cost stays, for billing.
with chosen as materialized (
    select id from scan.scan where client_job_id = $1 and hidden order by id limit $2
), job as (
    delete from scan.job j using chosen where j.kind = 'scan' and j.ref = chosen.id
    returning j.id, j.ref, j.stage, j.attempt, j.spent, pg_notify('scan_stop', j.id::text)
), results as (
    delete from scan.stage_result r using job where r.job_id = job.id returning r.job_id, r.run, r.finished_at
), gone as (
    delete from scan.scan s using chosen where s.id = chosen.id returning s.id, s.user_id, s.created_at, s.stages
)
insert into scan.tombstone (scan_id, user_id, created_at, usage)
select gone.id, gone.user_id, gone.created_at,
       coalesce(gone.stages, (select jsonb_agg(r.run order by r.finished_at) from results r where r.job_id = job.id), '[]'::jsonb)
       || case when job.spent is null then '[]'::jsonb
          else jsonb_build_array(jsonb_build_object('stage', job.stage, 'attempts', job.attempt, 'duration_ms', 0,
                                                    'usage', job.spent)) end
from gone left join job on job.ref = gone.id
on conflict do nothing
