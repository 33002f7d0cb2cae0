-- What a scan went through: the stages that are behind it, and the last 200 tries that failed.
select coalesce(nullif(s.trace_id, ''), substr(j.traceparent, 4, 32), '') as trace_id,
       coalesce(s.stages, (select jsonb_agg(r.run order by r.finished_at) from scan.stage_result r where r.job_id = j.id))
           ::text as runs,
       (select jsonb_agg(to_jsonb(a) order by a.ended_at)
        from (select stage, attempt, worker_id, ended_at, duration_ms, error from scan.failed_attempt
              where scan_id = s.id and ended_at >= s.created_at order by ended_at desc limit 200) as a)::text as failed
from scan.scan s
left join scan.job j on j.kind = 'scan' and j.ref = s.id
where s.id = $1
