-- Takes exports that are due for a worker, by the rules of `claim`: the worker's own row first, SKIP LOCKED.
with me as (
    select id from scan.worker where id = $1 for key share
), ready as (
    select id from scan.job
    where kind = 'export' and state = 'READY' and run_at <= now() and exists (select from me)
    order by priority desc, run_at, id
    limit $2
    for update skip locked
), leased as (
    update scan.job j set state = 'LEASED', worker_id = $1, token = j.token + 1, attempt = j.attempt + 1
    from ready where j.id = ready.id
    returning j.id, j.ref, j.token, j.attempt
)
select leased.id as job_id, leased.token, leased.attempt, e.id::text, e.user_id, e.account, e.object_key
from leased
join scan.export e on e.id = leased.ref
