-- A repetition changes nothing, but finds the scan all the same.
with owned as (
    select id from scan.scan where id = $2 and user_id = $1
), marked as (
    insert into scan.put_out (scan_id) select id from owned on conflict do nothing
)
select id from owned
