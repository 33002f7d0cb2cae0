-- Progress between checkpoints, of many scans at once. Returned is what needs no further try: stored, known as new or
-- newer already, or not this lease's any more. What stands at another stage waits for the checkpoint that is under way.
with given as (
    select * from unnest($1::bigint[], $2::integer[], $3::text[], $4::integer[], $5::smallint[], $6::text[],
                         $7::integer[], $8::integer[])
        as given (id, token, stage, version, percent, step, done, total)
), stored as (
    update scan.job j
    set version = given.version, percent = given.percent, step = given.step, done = coalesce(given.done, j.done),
        total = coalesce(given.total, j.total)
    from given
    where j.id = given.id and j.token = given.token and j.stage = given.stage and j.version < given.version
    returning j.id
)
select given.id
from given left join scan.job j on j.id = given.id and j.token = given.token
where j.id is null or j.version >= given.version or given.id in (select id from stored)
