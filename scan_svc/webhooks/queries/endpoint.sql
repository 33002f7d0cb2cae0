-- The secret of a user's endpoint: the one it has, else $3. Usually nothing is written; one that had said 410 is back in
-- use, and of two that are new at once the first one's secret counts.
with known as (
    select secret from scan.webhook_endpoint where user_id = $1 and url = $2 and gone_at is null
), made as (
    insert into scan.webhook_endpoint (user_id, url, secret)
    select $1, $2, $3 where not exists (select from known)
    on conflict (user_id, url) do update set gone_at = null
    returning secret
)
select secret from known union all select secret from made
