-- Queues a client job whose file has come. Nothing if it isn't waiting for one: somebody else was first.
-- $1 id, $2 traceparent, $3 etag
with started as (
    update scan.client_job
    set state = 'QUEUED', step = 'queue', version = version + 1, started_at = now(), etag = $3
    where id = $1 and state = 'AWAITING_UPLOAD'
    returning id, kind, user_id, version, coalesce(nullif(traceparent, ''), $2) as traceparent
)
insert into scan.job (kind, ref, state, stage, version, traceparent, user_id)
select kind, id, 'READY', 'run', version, traceparent, user_id from started
returning id
