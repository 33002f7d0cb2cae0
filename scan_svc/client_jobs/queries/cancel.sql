-- Cancels a client job that hasn't finished. Without its job whoever is at work on it is fenced; the notification makes
-- them stop at once.
with job as (
    delete from scan.job j using scan.client_job c
    where c.id = $1 and j.kind = c.kind and j.ref = c.id and j.state in ('READY', 'LEASED')
    returning j.id, j.token, j.percent, j.done, j.total, pg_notify('scan_stop', j.id::text)
)
update scan.client_job c
set state = 'CANCELLED', finished_at = now(), cursor = null,
    version = greatest(c.version + 1, coalesce((select (token + 1) * 10000 from job), 0)),
    percent = coalesce((select percent from job), c.percent), done = coalesce((select done from job), c.done),
    total = coalesce((select total from job), c.total)
where c.id = $1 and (c.state = 'AWAITING_UPLOAD' or exists (select from job))
returning c.version
