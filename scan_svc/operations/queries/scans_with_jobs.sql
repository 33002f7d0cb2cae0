-- As `scans_by_time`, among the scans that have a job: those that wait or run, and those that have failed. Others are
-- so many that it would take long to find one of these among them.
with looked_at as materialized (
    select s.id, case j.state when 'LEASED' then 'RUNNING' else s.state end as state
    from scan.job j
    join scan.scan s on s.id = j.ref
    where j.kind = 'scan' and j.ref < $1 and j.ref >= $2
    order by j.ref desc
    limit $5
), found as (
    select id from looked_at where $3 in ('', state) order by id desc limit $4
)
select (select array_agg(id order by id desc) from found) as found, count(*) as looked_at,
       (array_agg(id order by id))[1] as reached
from looked_at
