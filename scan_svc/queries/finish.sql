-- The last stage is done: the scan has succeeded. No row means fenced.
with finished as (
    update scan.job set state = 'DONE', worker_id = null
    where id = $1 and token = $2 and stage = 'done'
    returning ref
)
update scan.scan s
set state = 'SUCCEEDED', version = $3, percent = 100, step = 'done', finished_at = now()
from finished where s.id = finished.ref
returning s.finished_at
