-- The webhooks of a scan.
select id from scan.webhook where scan_id = $1
