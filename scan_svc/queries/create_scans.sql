-- New scans, each with its job unless its photo is still to come. One isn't returned when its user's request_id is taken,
-- by an earlier scan or by one of these. Their endpoints are there already, unless the last scan of one was deleted at this
-- moment: whoever deletes it waits for the endpoint's row, and so do we.
with given as (
    select * from unnest($1::uuid[], $2::text[], $3::text[], $4::bytea[], $5::boolean[], $6::text[], $7::text[],
                         $8::text[], $9::integer[], $10::text[], $11::text[], $12::float8[], $13::float8[], $14::text[],
                         $15::text[], $16::text[], $17::text[], $18::text[], $19::text[], $20::text[], $21::smallint[],
                         $22::text[], $23::boolean[])
        as given (id, user_id, request_id, payload_hash, uploaded, image_url, object_key, content_type, size_bytes,
                  sha256, user_input, latitude, longitude, region, locale, callback_url, traceparent,
                  building, webhook_secret, webhook_shape, priority, client_job_id, hidden)
), new_scan as (
    insert into scan.scan (id, user_id, request_id, payload_hash, state, version, image_url, object_key, content_type,
                           size_bytes, sha256, user_input, latitude, longitude, region, locale, callback_url, step,
                           started_at, building, webhook_shape, priority, traceparent, client_job_id, hidden)
    select id, user_id, nullif(request_id, ''), payload_hash, case when uploaded then 'AWAITING_UPLOAD' else 'QUEUED' end,
           1, image_url, object_key, content_type, size_bytes, sha256, user_input, latitude, longitude, region, locale,
           callback_url, case when uploaded then 'upload' else 'queue' end, case when uploaded then null else now() end,
           building, webhook_shape, priority, traceparent, nullif(client_job_id, '')::uuid, hidden
    from given
    on conflict do nothing
    returning id, created_at
), in_turn as materialized (
    -- Several of one user wait for one turn after the other. Materialized: it would be computed anew for each of them.
    select id, user_id, traceparent, priority,
           next.turn + row_number() over (partition by user_id, priority order by id) - 1 as turn
    from given, scan.next_turn(user_id, priority) as next
    where not uploaded
), new_job as (
    insert into scan.job (kind, ref, state, stage, traceparent, user_id, turn, priority)
    select 'scan', id, 'READY', 'vision', traceparent, user_id, turn, priority
    from new_scan
    join in_turn using (id)
), endpoint as (
    insert into scan.webhook_endpoint (user_id, url, secret)
    select distinct on (given.user_id, given.callback_url) given.user_id, given.callback_url, given.webhook_secret
    from new_scan
    join given using (id)
    where given.webhook_secret <> ''
    order by given.user_id, given.callback_url
    on conflict (user_id, url) do update set url = excluded.url
)
select id, created_at from new_scan
