-- A new client job, queued with its job unless its file is still to come.
-- $1 id, $2 user_id, $3 request_id, $4 payload_hash, $5 kind, $6 whether its file is to come, $7 spec, $8 locale,
-- $9 object_key, $10 content_type, $11 bytes, $12 sha256, $13 traceparent
with made as (
    insert into scan.client_job (id, user_id, request_id, payload_hash, kind, state, step, spec, locale, object_key,
                                 content_type, size_bytes, sha256, traceparent, started_at)
    values ($1, $2, nullif($3, ''), $4, $5, case when $6 then 'AWAITING_UPLOAD' else 'QUEUED' end,
            case when $6 then 'upload' else 'queue' end, $7::jsonb, $8, $9, $10, $11, $12, $13,
            case when $6 then null else now() end)
    returning id, kind, user_id, traceparent
), job as (
    insert into scan.job (kind, ref, state, stage, traceparent, user_id)
    select kind, id, 'READY', 'run', traceparent, user_id from made where not $6
)
select id from made
