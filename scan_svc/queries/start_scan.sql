-- Queues a scan whose photo has come. Nothing if it isn't waiting for one: somebody else was first.
with started as (
    update scan.scan
    set state = 'QUEUED', step = 'queue', version = version + 1, started_at = now(), etag = $3
    where id = $1 and state = 'AWAITING_UPLOAD'
    returning id, version
)
insert into scan.job (kind, ref, state, stage, version, traceparent)
select 'scan', id, 'READY', 'vision', version, $2 from started
returning id
