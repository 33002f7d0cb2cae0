-- The holder of a reply's lease is still at work. Nothing if somebody else holds it.
update scan.reply_lease set expires_at = now() + make_interval(secs => $3), contested_at = null
where scan_id = $1 and token = $2
returning token
