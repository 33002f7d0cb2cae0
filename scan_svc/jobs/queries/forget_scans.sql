-- One batch of scans that finished more than $1 days ago, and their jobs if they were dead letters; webhooks go by their
-- foreign key. The ids, which begin with the time of creation, find the old ones without an index on finished_at, which
-- every finish would have to maintain. What a replay brings back to life meanwhile stays: both deletions look again, and
-- lock the job first, as everybody does (hence the count).
with old as materialized (
    select id from scan.scan
    where id < (select uuidv7(make_interval(days => -$1::integer))) and finished_at < now() - make_interval(days => $1)
    order by id
    limit $2
), job as (
    delete from scan.job j using old
    where j.kind = 'scan' and j.ref = old.id and j.state in ('DEAD', 'ARCHIVED')
    returning j.id
), results as (
    delete from scan.stage_result r using job where r.job_id = job.id
)
delete from scan.scan s using old
where s.id = old.id and s.finished_at < now() - make_interval(days => $1) and (select count(*) from job) >= 0
