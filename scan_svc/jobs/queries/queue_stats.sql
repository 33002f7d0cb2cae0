-- What waits, by kind of work and stage. Archived jobs wait for nobody. A scan that the release before left at its reward
-- counts with the rewards. Batch scans wait on purpose, so their age stands apart.
select
    case stage when 'reward' then 'reward' else kind end as kind,
    stage,
    count(*) filter (where state = 'READY') as ready,
    count(*) filter (where state = 'LEASED') as in_flight,
    count(*) filter (where state = 'DEAD') as dead,
    coalesce(extract(epoch from now() - min(run_at)
        filter (where state = 'READY' and run_at <= now() and priority >= 0)), 0)::float8 as oldest_age,
    count(*) filter (where state = 'READY' and priority < 0) as batch_ready,
    coalesce(extract(epoch from now() - min(run_at)
        filter (where state = 'READY' and run_at <= now() and priority < 0)), 0)::float8 as batch_oldest_age
from scan.job
where state in ('READY', 'LEASED', 'DEAD')
group by 1, 2
