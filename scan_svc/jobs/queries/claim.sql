-- Takes jobs that are due for a worker, users in turns (`scan.next_turn`, migration 0018). The worker's own row is locked
-- first (key share): whoever has just declared this worker dead deleted that row, and then nothing is claimed. SKIP LOCKED
-- keeps workers out of each other's way. Jobs that were in several crashes are suspects, and taken apart from the innocent:
-- $3 and $4 bound the crashes. Up to $6 batch scans that are due since $7 seconds come first, and else all of a priority
-- of $8 at least in its order. $5 are users who have enough at work. A
-- worker that does some stages only names them in the marked line (`at_stages` in queue.py).
with me as (
    select id from scan.worker where id = $1 for key share
), aged as (
    select id from scan.job
    where kind = 'scan' and state = 'READY' and priority = -1 and run_at <= now() - make_interval(secs => $7)
      and crashes between $3 and $4 and user_id <> all ($5)
      /* at these stages */
      and exists (select from me)
    order by run_at, id
    limit $6
    for update skip locked
), ready as (
    select id from scan.job
    where kind = 'scan' and state = 'READY' and run_at <= now() and crashes between $3 and $4 and user_id <> all ($5)
      /* at these stages */
      and priority >= $8 and id <> all (array(select id from aged)) and exists (select from me)
    order by priority desc, turn, run_at, id
    limit $2 - (select count(*) from aged)
    for update skip locked
), leased as (
    update scan.job j
    set state = 'LEASED', worker_id = $1, token = j.token + 1, attempt = j.attempt + 1, version = (j.token + 1) * 10000
    from (select id from aged union all select id from ready) as taken where j.id = taken.id
    returning j.id, j.ref, j.token, j.stage, j.attempt, j.version, j.percent, j.step, j.traceparent, j.spent
)
select s.id, s.user_id, s.image_url, s.object_key, s.content_type, s.size_bytes, s.sha256, s.etag, s.user_input, s.latitude,
       s.longitude, s.region, s.building, s.locale, s.priority, s.created_at, s.started_at, s.finished_at, s.error,
       'RUNNING' as state, leased.version, leased.percent, leased.step,
       case when leased.stage <> 'vision' then
           (select jsonb_object_agg(r.stage, r.output) from scan.stage_result r where r.job_id = leased.id)::text
       end as outputs,
       case when leased.stage <> 'vision' then
           (select jsonb_agg(r.run order by r.finished_at) from scan.stage_result r where r.job_id = leased.id)::text
       end as stages,
       leased.id as job_id, leased.token, leased.stage as job_stage, leased.attempt, leased.traceparent,
       leased.spent::text as spent,
       extract(epoch from now() - s.started_at)::float8 as age
from leased
join scan.scan s on s.id = leased.ref
