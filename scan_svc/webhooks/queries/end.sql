-- A webhook's job is over with try $7: delivered, or not wanted. $6: its endpoint is gone, for all of its webhooks. No
-- row means fenced.
with ended as (
    delete from scan.job where id = $1 and token = $2 returning ref
), gone as (
    update scan.webhook_endpoint e set gone_at = now()
    from ended
    join scan.webhook w on w.id = ended.ref
    join scan.scan s on s.id = w.scan_id
    where $6 and e.user_id = s.user_id and e.url = s.callback_url
)
insert into scan.webhook_attempt (webhook_id, attempt, status, error, duration_ms)
select ref, $7, $3, $4, $5 from ended
returning webhook_id
