-- Takes ready jobs for a worker and marks their scans running, in one statement.
--
-- The worker's own row is locked first (key share): a reaper that has just declared this worker dead deletes that row,
-- and then nothing is claimed. SKIP LOCKED keeps workers out of each other's way.
with me as (
    select id from scan.worker where id = $1 for key share
), ready as (
    select id from scan.job
    where kind = 'scan' and state = 'READY' and run_at <= now() and exists (select from me)
    order by priority desc, run_at, id
    limit $2
    for update skip locked
), leased as (
    update scan.job j set state = 'LEASED', worker_id = $1, token = j.token + 1, attempt = j.attempt + 1
    from ready where j.id = ready.id
    returning j.id, j.ref, j.token, j.stage, j.attempt, j.traceparent
), running as (
    update scan.scan s set state = 'RUNNING', version = leased.token * 10000
    from leased where s.id = leased.ref
    returning s.id, s.version, extract(epoch from now() - s.started_at)::float8 as age
)
select d.*, running.version as claimed_version, running.age,
       leased.id as job_id, leased.token, leased.stage as job_stage, leased.attempt, leased.traceparent
from leased
join running on running.id = leased.ref
join scan.scan_detail d on d.id = leased.ref
