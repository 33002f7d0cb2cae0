-- Stages of many scans are done: their results are stored and the jobs move on, in one statement and one commit. A job
-- that isn't returned is fenced: somebody else has it, and nothing was written for it. State isn't in the condition: the
-- token says all (and the planner would take the partial index on stale statistics).
with given as (
    select * from unnest($1::bigint[], $2::integer[], $3::text[], $4::text[], $5::integer[], $6::smallint[], $7::text[])
        as given (id, token, stage, following, version, percent, step)
), advanced as (
    update scan.job j
    set stage = given.following, attempt = 1, crashes = 0, last_error = null, spent = null,
        version = greatest(j.version, given.version), percent = greatest(j.percent, given.percent), step = given.step
    from given
    where j.id = given.id and j.token = given.token and j.stage = given.stage
    returning j.id, j.token
), stored as (
    insert into scan.stage_result (job_id, stage, token, output, run)
    select advanced.id, part.stage, advanced.token, part.output, part.run
    from unnest($8::bigint[], $9::integer[], $10::text[], $11::jsonb[], $12::jsonb[])
        as part (job_id, token, stage, output, run)
    -- By token, too: a late write of a former lease may be in the same batch as the present one's.
    join advanced on advanced.id = part.job_id and advanced.token = part.token
), revised as (
    -- What an earlier stage produced and this one knows better: the user's words may name what the photo shows.
    update scan.stage_result r set output = part.output
    from unnest($13::bigint[], $14::integer[], $15::text[], $16::jsonb[]) as part (job_id, token, stage, output)
    join advanced on advanced.id = part.job_id and advanced.token = part.token
    where r.job_id = part.job_id and r.stage = part.stage
)
select id, token from advanced
