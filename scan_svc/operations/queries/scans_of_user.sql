-- As `scans_by_time`, of user $6 alone.
with looked_at as materialized (
    select s.id, case j.state when 'LEASED' then 'RUNNING' else s.state end as state
    from scan.scan s
    left join scan.job j on j.kind = 'scan' and j.ref = s.id
    where s.user_id = $6 and s.id < $1 and s.id >= $2
    order by s.id desc
    limit $5
), found as (
    select id from looked_at where $3 in ('', state) order by id desc limit $4
)
select (select array_agg(id order by id desc) from found) as found, count(*) as looked_at,
       (array_agg(id order by id))[1] as reached
from looked_at
