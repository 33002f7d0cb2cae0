-- One page of a user's client jobs; ids sort by creation.
select id::text as job_id, kind, state, spec, result, error, locale, cost_micro_usd, created_at, started_at, finished_at
from scan.client_job_detail
where user_id = $1 and id < coalesce($2::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid) order by id desc limit $3
