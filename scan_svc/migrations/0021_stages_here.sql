-- Workers may do some stages only, and claim what waits at these.

-- Where a job waits: its stage while it is READY. A column of its own, since a checkpoint changes the stage: an index on
-- that would take away HOT updates, while this one stays null as long as a worker holds the job.
alter table scan.job add column waits_at text generated always as (case when state = 'READY' then stage end) stored;

-- What is past its first stage: short, since only what was handed over, retried or given back is in it. Those who look at
-- the first stage read `job_turn` past it.
create index job_later on scan.job (priority desc, turn, run_at, id)
    where kind = 'scan' and state = 'READY' and waits_at <> 'vision';

-- The stages that a worker does, in order, by commas; empty: all, as workers of the release before do.
alter table scan.worker add column stages text default '' not null;
