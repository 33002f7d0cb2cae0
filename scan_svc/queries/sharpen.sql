-- A reply that settled something, and what it made of the scan, both or neither. Nothing if the scan has changed since it
-- was read: another reply was first.
with sharpened as (
    update scan.scan
    set outputs = $7::jsonb, stages = $8::jsonb, region = $9, version = version + 1
    where id = $1 and version = $6 and state = 'SUCCEEDED'
    returning id
)
insert into scan.reply (scan_id, request_id, reply, understood, message, question)
select id, nullif($2, ''), $3, true, $4, $5 from sharpened
returning id
