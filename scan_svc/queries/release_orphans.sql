-- Jobs whose worker is gone become ready again, with their attempt given back; what kills its worker five times is
-- archived. A random delay spreads them.
with released as (
    update scan.job j
    set state = case when j.crashes + 1 >= 5 then 'ARCHIVED' else 'READY' end,
        worker_id = null, token = j.token + 1, crashes = j.crashes + 1, attempt = greatest(j.attempt - 1, 0),
        run_at = now() + random() * interval '1 second',
        last_error = case when j.crashes + 1 >= 5 then $1::jsonb else j.last_error end
    where j.state = 'LEASED' and not exists (select from scan.worker w where w.id = j.worker_id)
    returning j.ref, j.token, j.state
)
update scan.scan s
set state = case when released.state = 'ARCHIVED' then 'FAILED' else 'QUEUED' end,
    step = 'retry', version = released.token * 10000,
    error = case when released.state = 'ARCHIVED' then $1::jsonb end,
    finished_at = case when released.state = 'ARCHIVED' then now() end
from released where s.id = released.ref
returning s.id
