-- Photos that are due for removal, to be tried again later unless they are done by then. One that is needed stays: its
-- scan was replayed meanwhile.
with due as materialized (
    select r.scan_id, s.state in ('AWAITING_UPLOAD', 'QUEUED', 'SUCCEEDED') or j.state = 'DEAD' as needed
    from scan.photo_removal r
    left join scan.scan s on s.id = r.scan_id
    left join scan.job j on j.kind = 'scan' and j.ref = r.scan_id
    where r.due_at <= now()
    order by r.due_at
    limit $1
    for update of r skip locked
), kept as (
    delete from scan.photo_removal r using due where r.scan_id = due.scan_id and due.needed
)
update scan.photo_removal r
set attempts = r.attempts + 1, due_at = now() + least(15 * 2 ^ least(r.attempts, 10), 3600) * interval '1 second'
from due
where r.scan_id = due.scan_id and due.needed is not true
returning r.scan_id, r.object_key, r.image_url, extract(epoch from now() - r.ended_at)::float8 as age
