-- One batch of what scans deleted by their users left behind, once the scan itself would be forgotten.
delete from scan.tombstone where scan_id in (
    select scan_id from scan.tombstone
    where scan_id < (select uuidv7(make_interval(days => -$1::integer)))
    order by scan_id
    limit $2
)
