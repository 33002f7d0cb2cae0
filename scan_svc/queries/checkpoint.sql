-- One stage is done: its results are stored and the job moves on, in one statement. No row means fenced: somebody else
-- has the job, and nothing was written. State isn't in the condition: the token says all (and the planner would take
-- the partial index on stale statistics).
with advanced as (
    update scan.job set stage = $4, attempt = 1, last_error = null
    where id = $1 and token = $2 and stage = $3
    returning id, ref
), stored as (
    insert into scan.stage_result (job_id, stage, token, output, attempts, duration_ms)
    select advanced.id, part.stage, $2, part.output, part.attempts, part.duration_ms
    from advanced, unnest($5::text[], $6::jsonb[], $7::smallint[], $8::integer[])
        as part (stage, output, attempts, duration_ms)
)
update scan.scan s set version = $9, percent = $10, step = $11
from advanced where s.id = advanced.ref
returning s.version
