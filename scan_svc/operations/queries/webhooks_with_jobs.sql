-- As `webhooks_by_time`, among those that have a job: they are pending or exhausted. Others are so many that it would take
-- long to find one of these among them.
with looked_at as materialized (
    select ref as id, case when state in ('READY', 'LEASED') then 'PENDING' else 'EXHAUSTED' end as state
    from scan.job
    where kind = 'webhook' and ref < $1
    order by ref desc
    limit $4
), found as (
    select id from looked_at where $2 in ('', state) order by id desc limit $3
)
select (select array_agg(id order by id desc) from found) as found, count(*) as looked_at,
       (array_agg(id order by id))[1] as reached
from looked_at
