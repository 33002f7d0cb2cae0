-- Whether a reply was stored by this lease.
select exists (select from scan.reply where scan_id = $1 and token = $2)
