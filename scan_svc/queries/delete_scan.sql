-- Removes a scan and its job; the stage results go with the job.
with job as (
    delete from scan.job where kind = 'scan' and ref = $1 returning pg_notify('scan_stop', id::text)
)
delete from scan.scan where id = $1 returning (select count(*) from job)
