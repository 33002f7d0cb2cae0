-- A reply that changed nothing: kept, so that its repetition is told the same. $5: whether it was understood, as one that
-- only confirms is; $6: what it says of the classification, $7: whether that may be kept as a label. Nothing without the
-- lease, or if the scan is gone.
with asked as materialized (
    select id, user_id, outputs -> 'vision' as vision from scan.scan where id = $1 for no key update
), held as (
    delete from scan.reply_lease l using asked where l.scan_id = asked.id and l.token = $2
    returning l.scan_id, l.token, l.request_id, l.reply
), judged as (
    select scan.judge(id, user_id, vision, vision, $6, (
        select verdict from scan.reply where scan_id = $1 and verdict is not null order by scan.reply.id desc limit 1
    ), $7)
    from asked join held on held.scan_id = asked.id
    where $6::text is not null
)
insert into scan.reply (scan_id, request_id, reply, understood, message, question, token, verdict)
select scan_id, request_id, reply, $5, $3, $4, token, $6 from held
returning id, (select count(*) from judged)
