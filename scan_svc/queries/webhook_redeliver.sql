-- Queues a webhook once more, with fresh attempts and a fresh day, at an endpoint that is asked anew. One that is being
-- delivered at this moment is left to it.
with queued as (
    update scan.webhook set queued_at = now() where id = $1 returning id, scan_id
), revived as (
    update scan.webhook_endpoint e set gone_at = null
    from queued join scan.scan s on s.id = queued.scan_id
    where e.user_id = s.user_id and e.url = s.callback_url and e.gone_at is not null
), job as (
    insert into scan.job as j (kind, ref, state, stage)
    select 'webhook', id, 'READY', 'deliver' from queued
    on conflict (kind, ref) do update
    set state = 'READY', attempt = 0, token = j.token + 1, run_at = now()
    where j.state <> 'LEASED'
)
select id from queued
