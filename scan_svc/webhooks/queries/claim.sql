-- Takes webhooks that are due for a worker, by the rules of `claim`: the worker's own row first, SKIP LOCKED; none of
-- users who have enough of them at work ($3).
with me as (
    select id from scan.worker where id = $1 for key share
), ready as (
    select id from scan.job
    where kind = 'webhook' and state = 'READY' and run_at <= now() and user_id <> all ($3) and exists (select from me)
    order by priority desc, run_at, id
    limit $2
    for update skip locked
), leased as (
    update scan.job j set state = 'LEASED', worker_id = $1, token = j.token + 1, attempt = j.attempt + 1
    from ready where j.id = ready.id
    returning j.id, j.ref, j.token, j.attempt
)
select leased.id as job_id, leased.token, leased.attempt, extract(epoch from now() - w.queued_at)::float8 as age,
       w.id as webhook_id, w.event, w.created_at as occurred_at, s.webhook_shape, s.traceparent, e.url, e.secret,
       e.gone_at is not null as gone, d.*
from leased
join scan.webhook w on w.id = leased.ref
join scan.scan s on s.id = w.scan_id
join scan.webhook_endpoint e on e.user_id = s.user_id and e.url = s.callback_url
join scan.scan_detail d on d.id = w.scan_id
