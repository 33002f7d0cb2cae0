-- Looks at the newest $4 webhooks of those before $1; finds $3 of them in state $2, or in any if that is empty.
with looked_at as materialized (
    select w.id,
           case
               when j.state in ('READY', 'LEASED') then 'PENDING'
               when j.state is not null then 'EXHAUSTED'
               when exists (select from scan.webhook_attempt a
                            where a.webhook_id = w.id and a.at >= w.created_at and a.error = '') then 'DELIVERED'
               else 'STOPPED'
           end as state
    from scan.webhook w
    left join scan.job j on j.kind = 'webhook' and j.ref = w.id
    where w.id < $1
    order by w.id desc
    limit $4
), found as (
    select id from looked_at where $2 in ('', state) order by id desc limit $3
)
select (select array_agg(id order by id desc) from found) as found, count(*) as looked_at,
       (array_agg(id order by id))[1] as reached
from looked_at
