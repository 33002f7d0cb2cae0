-- A reply failed: the next one may come. What it has paid for stays for its repetition.
update scan.reply_lease set expires_at = null, contested_at = null, draft = coalesce($3::jsonb, draft)
where scan_id = $1 and token = $2
