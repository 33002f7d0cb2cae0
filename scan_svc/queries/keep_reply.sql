-- A reply that settled nothing: kept, so that its repetition is told the same. Nothing if the scan is gone.
insert into scan.reply (scan_id, request_id, reply, understood, message, question)
select id, nullif($2, ''), $3, false, $4, $5 from scan.scan where id = $1 for key share
on conflict do nothing
returning id
