select
    stage,
    count(*) filter (where state = 'READY') as ready,
    count(*) filter (where state = 'LEASED') as in_flight,
    count(*) filter (where state = 'DEAD') as dead,
    coalesce(extract(epoch from now() - min(run_at) filter (where state = 'READY' and run_at <= now())), 0)::float8
        as oldest_age
from scan.job
where kind = 'scan' and state in ('READY', 'LEASED', 'DEAD')
group by stage
