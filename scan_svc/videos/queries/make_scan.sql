-- The scan that a clip becomes: queued at its rules, since its frames were looked at. Of a job that is over none is made;
-- who cancels it waits, or was first. What a repetition finds stays as it is.
with alive as (
    select c.id, c.user_id from scan.client_job c
    where c.id = $2 and c.finished_at is null
    for update
), new_scan as (
    insert into scan.scan (id, user_id, payload_hash, state, version, image_url, object_key, content_type, size_bytes,
                           sha256, user_input, latitude, longitude, region, locale, callback_url, step, started_at,
                           percent, traceparent, client_job_id)
    select $1, user_id, '', 'QUEUED', 1, $3, $4, 'image/jpeg', 0, '', $5, $6, $7, $8, $9, '', 'queue', now(), 50, $10, id
    from alive
    on conflict do nothing
    returning id, user_id
), new_job as (
    insert into scan.job (kind, ref, state, stage, traceparent, user_id, turn, priority, percent)
    select 'scan', s.id, 'READY', 'rules', $10, s.user_id, next.turn, 0, 50
    from new_scan s, scan.next_turn(s.user_id, 0::smallint) as next
    returning id
), stored as (
    insert into scan.stage_result (job_id, stage, token, output, run)
    select id, 'vision', 0, $11, $12 from new_job
)
select $1::uuid from alive
