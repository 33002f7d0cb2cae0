-- What a user replied to answers, of these scans.
select scan_id::text, reply, message, created_at from scan.reply where scan_id = any ($1::uuid[]) order by id
