-- Looks at the newest $5 scans of those before $1 and not before $2; finds $4 of them in state $3, or in any if that is
-- empty. By ids, which begin with the time of creation.
with looked_at as materialized (
    select s.id, case j.state when 'LEASED' then 'RUNNING' else s.state end as state
    from scan.scan s
    left join scan.job j on j.kind = 'scan' and j.ref = s.id
    where s.id < $1 and s.id >= $2
    order by s.id desc
    limit $5
), found as (
    select id from looked_at where $3 in ('', state) order by id desc limit $4
)
select (select array_agg(id order by id desc) from found) as found, count(*) as looked_at,
       (array_agg(id order by id))[1] as reached
from looked_at
