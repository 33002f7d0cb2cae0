-- Queues a webhook once more, with fresh attempts and a fresh day, at an endpoint that is asked anew. One that is being
-- delivered at this moment stays with its worker; if that try fails, the fresh ones follow (see `retry.sql`).
with queued as (
    update scan.webhook set queued_at = now() where id = $1 returning id, scan_id
), revived as (
    update scan.webhook_endpoint e set gone_at = null
    from queued join scan.scan s on s.id = queued.scan_id
    where e.user_id = s.user_id and e.url = s.callback_url and e.gone_at is not null
), job as (
    insert into scan.job as j (kind, ref, state, stage, user_id)
    select 'webhook', queued.id, 'READY', 'deliver', s.user_id from queued join scan.scan s on s.id = queued.scan_id
    on conflict (kind, ref) do update
    set state = case j.state when 'LEASED' then 'LEASED' else 'READY' end, attempt = 0, run_at = now(),
        token = j.token + case j.state when 'LEASED' then 0 else 1 end
)
select id from queued
