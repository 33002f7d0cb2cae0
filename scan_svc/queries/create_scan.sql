-- A new scan, with its job unless the photo is still to come. Nothing when the user's request_id is taken.
with new_scan as (
    insert into scan.scan (id, user_id, request_id, payload_hash, state, version, image_url, object_key, content_type,
                           size_bytes, sha256, user_input, latitude, longitude, region, locale, callback_url, step,
                           started_at)
    values ($1, $2, nullif($3, ''), $4, case when $5 then 'AWAITING_UPLOAD' else 'QUEUED' end, 1, $6, $7, $8,
            $9, $10, $11, $12, $13, $14, $15, $16, case when $5 then 'upload' else 'queue' end,
            case when $5 then null else now() end)
    on conflict do nothing
    returning id, created_at
), new_job as (
    insert into scan.job (kind, ref, state, stage, traceparent)
    select 'scan', id, 'READY', 'vision', $17 from new_scan where not $5
)
select created_at from new_scan
