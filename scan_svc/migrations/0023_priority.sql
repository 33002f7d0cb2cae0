-- Scans for which nobody waits give way to the others: 0 interactive, -1 batch, as in `scan.job.priority`.

-- What was asked for, until its job is made: an upload's is made once its photo has come.
alter table scan.scan add column priority smallint default 0 not null;

create or replace view scan.scan_detail as
select
    s.id, s.user_id, s.image_url, s.object_key, s.content_type, s.size_bytes, s.sha256, s.user_input, s.latitude,
    s.longitude, s.region, s.locale, s.created_at, s.started_at, s.finished_at, s.error,
    case j.state when 'LEASED' then 'RUNNING' else s.state end as state,
    case when j.state in ('READY', 'LEASED') then j.version else s.version end as version,
    case when j.state in ('READY', 'LEASED') then j.percent else s.percent end as percent,
    case when j.state in ('READY', 'LEASED') then j.step else s.step end as step,
    coalesce(s.outputs, (select jsonb_object_agg(r.stage, r.output) from scan.stage_result r where r.job_id = j.id))
        ::text as outputs,
    coalesce(s.stages, (select jsonb_agg(r.run order by r.finished_at) from scan.stage_result r where r.job_id = j.id))
        ::text as stages,
    j.state is not distinct from 'LEASED' and not coalesce(w.stores_progress, false) as behind,
    s.building,
    s.priority
from scan.scan s
left join scan.job j on j.kind = 'scan' and j.ref = s.id
left join scan.worker w on w.id = j.worker_id and j.state = 'LEASED';

-- A user's interactive and batch scans take turns each for themselves.
create index job_of_user_by_priority on scan.job (user_id, priority, turn) where kind = 'scan' and state = 'READY';
-- Unused since 0.1: only scan.next_turn reads it, which this file replaces.
drop index scan.job_of_user;

-- As before (0018), among scans of one priority: the round that is being claimed is that of the first of them that is due.
create function scan.next_turn(of_user text, of_priority smallint) returns table (turn bigint) language sql stable as $$
    select greatest(
        coalesce((
            select case when first.run_at <= now() then first.turn else coalesce(
                (select j.turn from scan.job j
                 where j.kind = 'scan' and j.state = 'READY' and j.priority = of_priority and j.run_at <= now()
                 order by j.turn, j.run_at, j.id limit 1),
                (select j.turn from scan.job j where j.kind = 'scan' and j.state = 'READY' and j.priority = of_priority
                 order by j.turn desc, j.run_at desc, j.id desc limit 1)) end
            from (select j.turn, j.run_at from scan.job j
                  where j.kind = 'scan' and j.state = 'READY' and j.priority = of_priority
                  order by j.turn, j.run_at, j.id limit 1) as first), 0),
        (select j.turn + 1 from scan.job j
         where j.kind = 'scan' and j.state = 'READY' and j.user_id = of_user and j.priority = of_priority
         order by j.turn desc limit 1))
$$;

-- For the release before, whose scans are all interactive.
create or replace function scan.next_turn(of_user text) returns table (turn bigint) language sql stable as $$
    select next.turn from scan.next_turn(of_user, 0::smallint) as next
$$;
