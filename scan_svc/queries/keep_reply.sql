-- A reply that settled nothing: kept, so that its repetition is told the same.
insert into scan.reply (scan_id, request_id, reply, understood, message, question)
values ($1, nullif($2, ''), $3, false, $4, $5)
on conflict do nothing
