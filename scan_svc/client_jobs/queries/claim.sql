-- Takes client jobs of a kind ($6) that are due for a worker, by the rules of `claim` of scans: the worker's own row first,
-- SKIP LOCKED, suspects apart ($3 and $4 bound the crashes), and none of the users ($5) who have enough at work.
with me as (
    select id from scan.worker where id = $1 for key share
), ready as (
    select id from scan.job
    where kind = $6 and state = 'READY' and run_at <= now() and crashes between $3 and $4 and user_id <> all ($5)
      and exists (select from me)
    order by priority desc, run_at, id
    limit $2
    for update skip locked
), leased as (
    update scan.job j
    set state = 'LEASED', worker_id = $1, token = j.token + 1, attempt = j.attempt + 1, version = (j.token + 1) * 10000
    from ready where j.id = ready.id
    returning j.id, j.ref, j.token, j.attempt, j.version, j.percent, j.step, j.done, j.total, j.traceparent
)
select c.id, c.user_id, c.kind, c.spec::text as spec, c.locale, c.object_key, c.content_type, c.size_bytes, c.sha256, c.etag,
       c.cost_micro_usd, c.result::text as result, c.file_key, c.file_bytes, c.error::text as error, c.created_at,
       c.started_at, c.finished_at, 'RUNNING' as state, leased.version, leased.percent, leased.step,
       coalesce(leased.done, 0) as done, coalesce(leased.total, 0) as total, false as behind,
       c.cursor::text as cursor, leased.id as job_id, leased.token, leased.attempt, leased.traceparent,
       extract(epoch from now() - c.started_at)::float8 as age
from leased
join scan.client_job c on c.id = leased.ref
