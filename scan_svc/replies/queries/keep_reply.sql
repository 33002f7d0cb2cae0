-- A reply that settled nothing: kept, so that its repetition is told the same. Nothing without the lease, or if the scan
-- is gone.
with asked as materialized (
    select id from scan.scan where id = $1 for no key update
), held as (
    delete from scan.reply_lease l using asked where l.scan_id = asked.id and l.token = $2
    returning l.scan_id, l.token, l.request_id, l.reply
)
insert into scan.reply (scan_id, request_id, reply, understood, message, question, token)
select scan_id, request_id, reply, false, $3, $4, token from held
returning id
