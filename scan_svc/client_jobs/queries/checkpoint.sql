-- A client job has come further: where it would go on, and what it has cost. With progress its crashes and tries are
-- forgotten: it isn't the part behind it that they came from. $11 raises the token for the same worker, whose numbers of
-- changes are used up; a second try of that finds it raised. No row means fenced.
-- $1 job, $2 token, $3 version, $4 percent, $5 step, $6 done, $7 total, $8 cursor, $9 cost, $10 worker, $11 0 or 1
with kept as (
    update scan.job j
    set token = $2 + $11, version = greatest(j.version, $3, ($2 + $11) * 10000), percent = greatest(j.percent, $4),
        step = $5, done = $6, total = $7,
        crashes = case when $6 > coalesce(j.done, 0) then 0 else j.crashes end,
        attempt = case when $6 > coalesce(j.done, 0) then 1 else j.attempt end
    where j.id = $1 and j.token between $2 and $2 + $11 and (j.token = $2 or j.state = 'LEASED' and j.worker_id = $10)
    returning j.ref, j.token, j.version
)
update scan.client_job c
set cursor = $8::jsonb, cost_micro_usd = greatest(c.cost_micro_usd, $9)
from kept where c.id = kept.ref
returning kept.token, kept.version
