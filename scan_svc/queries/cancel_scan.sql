-- Cancels a scan that hasn't finished. Without its job row whoever is at work on it is fenced; the notification makes
-- them stop at once. What was paid for so far is kept with the scan, failed tries of the stage it was at included.
with job as (
    delete from scan.job where kind = 'scan' and ref = $1 and state in ('READY', 'LEASED')
    returning id, ref, token, stage, attempt, spent, percent, traceparent, pg_notify('scan_stop', id::text)
), results as (
    delete from scan.stage_result r using job where r.job_id = job.id
    returning r.stage, r.output, r.run, r.finished_at
), paid as (
    select run, finished_at from results
    union all
    select jsonb_build_object('stage', stage, 'attempts', attempt, 'duration_ms', 0, 'usage', spent), 'infinity'
    from job where spent is not null
)
update scan.scan s
set state = 'CANCELLED', finished_at = now(),
    version = greatest(s.version + 1, coalesce((select (token + 1) * 10000 from job), 0)),
    percent = coalesce((select percent from job), s.percent),
    outputs = (select jsonb_object_agg(stage, output) from results),
    stages = (select jsonb_agg(run order by finished_at) from paid),
    trace_id = coalesce((select substr(traceparent, 4, 32) from job), s.trace_id)
where s.id = $1 and (s.state = 'AWAITING_UPLOAD' or exists (select from job))
returning s.version
