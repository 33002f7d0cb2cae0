-- Who holds a scan for a reply; nothing if nobody does. A lease that has expired is contested by that.
with contested as (
    update scan.reply_lease set contested_at = now()
    where scan_id = $1 and expires_at < now()
      and (contested_at is null or contested_at < now() - make_interval(secs => 4 * $2::float8))
)
select request_id, reply from scan.reply_lease where scan_id = $1 and expires_at is not null
