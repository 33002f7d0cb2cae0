-- Queues a scan whose photo has come. Nothing if it isn't waiting for one: somebody else was first.
with started as (
    update scan.scan
    set state = 'QUEUED', step = 'queue', version = version + 1, started_at = now(), etag = $3
    where id = $1 and state = 'AWAITING_UPLOAD'
    returning id, version, user_id, priority, coalesce(nullif(traceparent, ''), $2) as traceparent
), job as (
    insert into scan.job (kind, ref, state, stage, version, traceparent, user_id, turn, priority)
    select 'scan', id, 'READY', 'vision', version, traceparent, user_id, next.turn, priority
    from started, scan.next_turn(user_id, priority) as next
    returning id
)
select traceparent from started, job
