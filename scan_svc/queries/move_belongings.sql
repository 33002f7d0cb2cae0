-- What belongs to a user beside scans becomes another one's, and readers are told. Of an address that both have, the new
-- owner's secret counts. The former owner's endpoints stay until the scans have followed; older moves are forgotten.
-- $1 from, $2 to
with forgotten as (
    delete from scan.moved_user where moved_at < now() - interval '2 days' and from_user <> $1
), remembered as (
    insert into scan.moved_user (from_user, to_user) values ($1, $2)
    on conflict (from_user) do update set to_user = excluded.to_user, moved_at = now()
), endpoints as (
    insert into scan.webhook_endpoint (user_id, url, secret, created_at, gone_at)
    select $2, url, secret, created_at, gone_at from scan.webhook_endpoint where user_id = $1
    on conflict do nothing
), tombstones as (
    update scan.tombstone set user_id = $2 where user_id = $1
)
update scan.reply_cost set user_id = $2 where user_id = $1
