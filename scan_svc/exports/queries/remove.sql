-- Removes exports, and stops those that are being made.
with gone as (
    delete from scan.export where id = any ($1::uuid[]) returning id
), job as (
    delete from scan.job j using gone where j.kind = 'export' and j.ref = gone.id
    returning pg_notify('scan_stop', j.id::text)
)
select (select count(*) from gone), (select count(*) from job)
