-- One place for what three statements do when scans end: whoever wants to be told gets a webhook, and the webhook a job.

-- Makes the webhooks of scans that have ended, for endpoints that aren't gone; a scan that failed before and fails again
-- has one already. Returns the scans whose webhook is due. Call it from the statement that ends them, so that both are
-- one commit, and use its result: PostgreSQL runs no part of a query that nobody reads.
create function scan.make_webhooks(ended uuid[], what_happened text) returns setof uuid language sql strict as $$
    with webhook as (
        insert into scan.webhook (id, scan_id, event)
        select uuidv7(), s.id, what_happened
        from scan.scan s
        join scan.webhook_endpoint e on e.user_id = s.user_id and e.url = s.callback_url
        where s.id = any (ended) and e.gone_at is null
        on conflict do nothing
        returning id, scan_id
    ), job as (
        insert into scan.job (kind, ref, state, stage) select 'webhook', id, 'READY', 'deliver' from webhook
    )
    select scan_id from webhook
$$;
