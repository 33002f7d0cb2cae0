-- Gives a user's client jobs to another one, whose jobs are locked already. Those at work are put back, since their workers
-- know the former owner; a request_id that the new owner has used, too, is forgotten.
-- $1 from, $2 to
with moved as (
    update scan.client_job c
    set user_id = $2,
        request_id = case when not exists (select from scan.client_job o
                                           where o.user_id = $2 and o.request_id = c.request_id) then c.request_id end
    where c.user_id = $1
    returning c.id, c.kind
), put_back as (
    update scan.job j
    set user_id = $2, state = 'READY', worker_id = null, token = j.token + 1, version = (j.token + 1) * 10000,
        attempt = greatest(j.attempt - 1, 0), step = 'queue'
    from moved where j.kind = moved.kind and j.ref = moved.id and j.state = 'LEASED'
    returning j.id, pg_notify('scan_stop', j.id::text)
), waiting as (
    update scan.job j set user_id = $2
    from moved where j.kind = moved.kind and j.ref = moved.id and j.state <> 'LEASED'
)
select id from moved where (select count(*) from put_back) >= 0
