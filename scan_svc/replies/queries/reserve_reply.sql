-- Reserves a scan for one reply, before anything is paid for. Nothing if somebody else holds it, or if the scan has changed
-- since it was read. The scan's row is locked first, as by whoever stores a reply. A lease that expired is free only once
-- it has been contested for $6 seconds in vain: after an outage its holder, who may have paid, comes first.
with asked as (
    select id, traceparent from scan.scan where id = $1 and version = $4 and state = 'SUCCEEDED' for no key update
)
insert into scan.reply_lease as held (scan_id, request_id, reply, expires_at)
select id, nullif($2, ''), $3, now() + make_interval(secs => $5) from asked
on conflict (scan_id) do update
set token = nextval('scan.reply_token'), request_id = excluded.request_id, reply = excluded.reply,
    expires_at = excluded.expires_at, contested_at = null,
    attempt = case when held.reply = excluded.reply then held.attempt + 1 else 1 end,
    draft = case when held.reply = excluded.reply then held.draft end
where held.expires_at is null
   or held.contested_at between now() - make_interval(secs => 4 * $6::float8) and now() - make_interval(secs => $6::float8)
returning token, attempt, draft::text, (select traceparent from asked)
