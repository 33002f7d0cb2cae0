-- A witness inside the database: what was committed, in the very transaction that did it. What was rolled back, or lost
-- by a crash, isn't here either.
create schema chaos;

create table chaos.job (id bigint, ref uuid);
create table chaos.handover (
    ref uuid, token integer, state text, worker_id bigint, at timestamptz default clock_timestamp()
);
create table chaos.result (job_id bigint, stage text, token integer, at timestamptz default clock_timestamp());
create table chaos.ending (scan_id uuid, state text, token integer, at timestamptz default clock_timestamp());

create function chaos.on_job() returns trigger language plpgsql as $$
begin
    if tg_op = 'INSERT' then
        insert into chaos.job values (new.id, new.ref);
    end if;
    insert into chaos.handover values (new.ref, new.token, new.state, new.worker_id);
    return null;
end $$;
create trigger on_job_insert after insert on scan.job for each row when (new.kind = 'scan')
    execute function chaos.on_job();
create trigger on_job_update after update on scan.job for each row
    when (new.kind = 'scan' and old.token is distinct from new.token) execute function chaos.on_job();

create function chaos.on_result() returns trigger language plpgsql as $$
begin
    insert into chaos.result values (new.job_id, new.stage, new.token);
    return null;
end $$;
create trigger on_result after insert on scan.stage_result for each row execute function chaos.on_result();

create function chaos.on_ending() returns trigger language plpgsql as $$
begin
    insert into chaos.ending values (new.id, new.state, new.version / 10000);
    return null;
end $$;
create trigger on_ending after update of state on scan.scan for each row
    when (old.state is distinct from new.state and new.state in ('SUCCEEDED', 'FAILED', 'CANCELLED', 'EXPIRED'))
    execute function chaos.on_ending();

create table chaos.rewarded (scan_id uuid, at timestamptz default clock_timestamp());

create function chaos.on_reward() returns trigger language plpgsql as $$
begin
    insert into chaos.rewarded values (new.id);
    return null;
end $$;
create trigger on_reward after update of outputs on scan.scan for each row
    when (jsonb_typeof(new.outputs -> 'reward') = 'object'
          and jsonb_typeof(old.outputs -> 'reward') is distinct from 'object')
    execute function chaos.on_reward();

create view chaos.handovers as
select ref::text, token, state, worker_id, extract(epoch from at)::float8 as at from chaos.handover;

-- The last stage's result goes straight to the scan, and so does the reward, whose job is another.
create view chaos.commits as
select job.ref::text, result.stage, result.token, extract(epoch from result.at)::float8 as at
from chaos.result join chaos.job on job.id = result.job_id
union all
select scan_id::text, 'answer', token, extract(epoch from at)::float8 from chaos.ending where state = 'SUCCEEDED'
union all
select scan_id::text, 'reward', 0, extract(epoch from at)::float8 from chaos.rewarded;

create view chaos.endings as
select scan_id::text, state, extract(epoch from at)::float8 as at from chaos.ending;
