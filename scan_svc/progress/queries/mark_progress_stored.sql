-- From now on what is stored of these leases' scans is all that anybody has seen. Returns their worker.
update scan.worker set stores_progress = true
where id in (
    select j.worker_id from unnest($1::bigint[], $2::integer[]) as held (id, token)
    join scan.job j on j.id = held.id and j.token = held.token and j.state = 'LEASED'
)
returning id
