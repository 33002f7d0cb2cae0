-- Looks at the newest $4 scans of those before $1 and not before $2; finds the $3 that took longest from start to end.
with looked_at as materialized (
    select id, finished_at - started_at as took from scan.scan where id < $1 and id >= $2 order by id desc limit $4
), found as (
    select id, took from looked_at where took is not null order by took desc, id desc limit $3
)
select (select array_agg(id order by took desc, id desc) from found) as found, count(*) as looked_at,
       (array_agg(id order by id))[1] as reached
from looked_at
