-- Cancels a scan that hasn't finished. Raising the job's token fences whoever is at work on it; the notification makes
-- them stop at once.
with job as (
    update scan.job set state = 'DONE', token = token + 1, worker_id = null
    where kind = 'scan' and ref = $1 and state in ('READY', 'LEASED')
    returning id, ref, token, pg_notify('scan_stop', id::text)
)
update scan.scan s
set state = 'CANCELLED', finished_at = now(),
    version = greatest(s.version + 1, coalesce((select token * 10000 from job), 0))
where s.id = $1 and s.state in ('AWAITING_UPLOAD', 'QUEUED', 'RUNNING')
  -- A worker that has just finished the job wins: without the job there is nothing to cancel.
  and (s.state = 'AWAITING_UPLOAD' or exists (select from job))
returning s.version
