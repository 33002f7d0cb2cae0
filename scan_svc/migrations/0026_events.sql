-- The event log: what happens to jobs, written by the transaction that does it. Triggers write it, so every statement does,
-- those of the release before included, and none can forget. How it is read: docs/events.md; why so: docs/adr.

create sequence scan.event_id;

-- The columns are those that Debezium's outbox event router looks for; beside them what CloudEvents needs.
create table scan.event (
    -- Rises with every change of a job: it is drawn while the changing transaction holds the job's row. No cache, therefore.
    id             bigint not null default nextval('scan.event_id'),
    -- Where an event stands in the order of reading (`event_clock`).
    clock          bigint not null,
    at             timestamptz not null,
    aggregatetype  text not null,  -- the job's kind
    aggregateid    uuid not null,  -- what it is about: the scan, of its webhooks and its reward, too; or the job itself
    type           text not null,
    traceparent    text,
    payload        jsonb not null  -- nothing of a user, no text of theirs
) partition by range (at);

create index event_order on scan.event (clock, id);
create index event_of on scan.event (aggregateid, id);

-- Where an event goes whose day nobody has made: to write one can't fail for that.
create table scan.event_default partition of scan.event default;

-- One row. `log` is raised when a backup was restored, since what came after the backup is gone and its ids come again; the
-- rest is the last event that was dropped.
create table scan.event_log (
    log            integer not null default 1,
    dropped_clock  bigint not null default 0,
    dropped_id     bigint not null default 0,
    one            boolean primary key default true check (one)
);
insert into scan.event_log default values;

-- Where the events of this statement stand in the order of reading, by the transactions that have begun: readers take what
-- stands below the oldest one that is under way, and miss nothing that one might still commit. It is the transaction's own
-- number, or that of the last one that has ended if that is higher: a transaction that began early and got to a job late
-- must come after whoever had it meanwhile. Call it after the jobs' rows are locked, in a snapshot of its own (volatile).
create function scan.event_clock() returns bigint language sql volatile as $$
    select greatest(pg_current_xact_id()::text::bigint, pg_snapshot_xmax(pg_current_snapshot())::text::bigint - 1)
$$;

-- Wakes readers, ten times a second at most: a notification serialises commits. A sequence, since it isn't bound to a
-- transaction; it holds the last tenth of a second in which somebody was woken.
create sequence scan.event_woken;
create function scan.wake_event_readers() returns void language plpgsql as $$
declare
    tenth bigint := extract(epoch from clock_timestamp()) * 10;
begin
    if tenth > coalesce(pg_sequence_last_value('scan.event_woken'), 0) then
        perform setval('scan.event_woken', tenth), pg_notify('scan_event', '');
    end if;
end
$$;

create function scan.job_queued() returns trigger language plpgsql as $$
declare
    since bigint := scan.event_clock();
    moment timestamptz := clock_timestamp();
begin
    insert into scan.event (clock, at, aggregatetype, aggregateid, type, traceparent, payload)
    select since, moment, j.kind, coalesce(w.scan_id, j.ref), 'eco2.' || j.kind || happened.what, j.traceparent,
           case happened.n
               when 1 then jsonb_build_object('job_id', j.ref, 'stage', j.stage)
               else jsonb_build_object('job_id', j.ref, 'stage', j.stage, 'attempt', j.attempt, 'worker_id', j.worker_id)
           end
    from added j
    left join scan.webhook w on j.kind = 'webhook' and w.id = j.ref
    cross join generate_series(1, 2) as turn (n)
    cross join lateral (select turn.n,
        case turn.n when 1 then '.accepted' else case j.state when 'LEASED' then '.stage.started' end end as what
    ) as happened
    where happened.what is not null
    order by j.id, happened.n;
    if found then
        perform scan.wake_event_readers();
    end if;
    return null;
end
$$;

create function scan.job_changed() returns trigger language plpgsql as $$
declare
    since bigint := scan.event_clock();
    moment timestamptz := clock_timestamp();
begin
    insert into scan.event (clock, at, aggregatetype, aggregateid, type, traceparent, payload)
    select since, moment, j.kind, coalesce(w.scan_id, j.ref), 'eco2.' || j.kind || happened.what, j.traceparent,
           case happened.what
               when '.stage.started' then jsonb_build_object(
                   'job_id', j.ref, 'stage', j.stage, 'attempt', j.attempt, 'worker_id', j.worker_id)
               when '.stage.succeeded' then jsonb_build_object(
                   'job_id', j.ref, 'stage', o.stage, 'attempt', o.attempt, 'worker_id', o.worker_id)
               when '.stage.retried' then jsonb_build_object(
                   'job_id', j.ref, 'stage', o.stage, 'attempt', o.attempt, 'worker_id', o.worker_id,
                   'reason', case when j.crashes > o.crashes then 'WORKER_GONE' else j.last_error ->> 'reason' end,
                   'next_time', j.run_at)
               when '.stage.released' then jsonb_build_object(
                   'job_id', j.ref, 'stage', o.stage, 'attempt', o.attempt, 'worker_id', o.worker_id, 'next_time', j.run_at)
               when '.stage.failed' then jsonb_build_object(
                   'job_id', j.ref, 'stage', o.stage, 'attempt', o.attempt, 'worker_id', o.worker_id,
                   'reason', j.last_error ->> 'reason')
               when '.failed' then jsonb_build_object(
                   'job_id', j.ref, 'stage', o.stage, 'reason', j.last_error ->> 'reason')
               else jsonb_build_object('job_id', j.ref, 'stage', j.stage)
           end
    from before o
    join after j using (id)
    left join scan.webhook w on j.kind = 'webhook' and w.id = j.ref
    cross join generate_series(1, 2) as turn (n)
    cross join lateral (select turn.n, case turn.n when 1 then
        case
            when j.token = o.token and j.stage <> o.stage then '.stage.succeeded'
            when o.state = j.state then
                case when j.state = 'READY' and j.attempt < o.attempt and j.token <> o.token then '.replayed' end
            when j.state = 'LEASED' then '.stage.started'
            when o.state = 'LEASED' and j.state = 'READY' then
                case when j.attempt < o.attempt and j.crashes <= o.crashes and j.step <> 'retry' then '.stage.released'
                else '.stage.retried' end
            when o.state in ('READY', 'LEASED') then '.stage.failed'
            when j.state = 'ARCHIVED' then '.archived'
            when j.state = 'READY' then '.replayed'
        end
    else
        case
            when j.token = o.token and j.stage <> o.stage then '.stage.started'
            when o.state in ('READY', 'LEASED') and j.state in ('DEAD', 'ARCHIVED') then '.failed'
        end
    end as what) as happened
    where happened.what is not null
    order by j.id, happened.n;
    if found then
        perform scan.wake_event_readers();
    end if;
    return null;
end
$$;

-- A job that is gone has come to its end, and its end stands with what it was for. Where that is gone, too, it was deleted,
-- which is told there. A scan's last stages may have been stored together, with its end: each is told by itself.
create function scan.job_ended() returns trigger language plpgsql as $$
declare
    since bigint := scan.event_clock();
    moment timestamptz := clock_timestamp();
begin
    insert into scan.event (clock, at, aggregatetype, aggregateid, type, traceparent, payload)
    select since, moment, j.kind, coalesce(w.scan_id, j.ref), 'eco2.' || j.kind || happened.what, j.traceparent,
           case turn.n
               when 2 + 2 * cardinality(thing.others) then jsonb_build_object('job_id', j.ref)
               else jsonb_build_object(
                   'job_id', j.ref, 'stage', case turn.n when 1 then j.stage else thing.others[turn.n / 2] end,
                   'attempt', case turn.n when 1 then j.attempt else 1 end, 'worker_id', j.worker_id)
           end
    from removed j
    left join scan.webhook w on j.kind = 'webhook' and w.id = j.ref
    left join scan.scan s on j.kind in ('scan', 'reward') and s.id = j.ref
    cross join lateral (select
        case j.kind
            when 'scan' then s.state
            when 'reward' then case when s.id is not null then 'SUCCEEDED' end
            when 'export' then coalesce((select e.state from scan.export e where e.id = j.ref),
                                        (select c.state from scan.client_job c where c.id = j.ref))
            when 'webhook' then (
                select case a.error when '' then 'SUCCEEDED' else 'FAILED' end from scan.webhook_attempt a
                where a.webhook_id = j.ref and a.at >= now() order by a.at desc limit 1)
            else (select c.state from scan.client_job c where c.id = j.ref)
        end as state,
        case when j.kind = 'scan' and s.state = 'SUCCEEDED' then array(
            select run.value ->> 'stage' from jsonb_array_elements(s.stages) with ordinality as run (value, place)
            where run.place > (
                select own.place from jsonb_array_elements(s.stages) with ordinality as own (value, place)
                where own.value ->> 'stage' = j.stage limit 1)
            order by run.place
        ) else '{}' end as others
    ) as thing
    cross join lateral generate_series(1, 2 + 2 * cardinality(thing.others)) as turn (n)
    cross join lateral (select case
        when turn.n = 2 + 2 * cardinality(thing.others) then
            case when j.state in ('READY', 'LEASED') then '.' || lower(thing.state) end
        when j.state <> 'LEASED' then null
        when thing.state = 'FAILED' then '.stage.failed'
        when thing.state <> 'SUCCEEDED' then null
        when turn.n % 2 = 1 then '.stage.succeeded'
        else '.stage.started'
    end as what) as happened
    where happened.what is not null
    order by j.id, turn.n;
    if found then
        perform scan.wake_event_readers();
    end if;
    return null;
end
$$;

create trigger event_queued after insert on scan.job
    referencing new table as added for each statement execute function scan.job_queued();
create trigger event_changed after update on scan.job
    referencing old table as before new table as after for each statement execute function scan.job_changed();
create trigger event_ended after delete on scan.job
    referencing old table as removed for each statement execute function scan.job_ended();

-- What happens to a scan or a client job that has no job: it waits for its file, and is cancelled or expires meanwhile. The
-- argument: what happened.
create function scan.event_without_job() returns trigger language plpgsql as $$
declare
    kind text := coalesce(to_jsonb(new) ->> 'kind', 'scan');
begin
    insert into scan.event (clock, at, aggregatetype, aggregateid, type, traceparent, payload)
    values (scan.event_clock(), clock_timestamp(), kind, new.id, 'eco2.' || kind || tg_argv[0],
            nullif(new.traceparent, ''), jsonb_build_object('job_id', new.id));
    perform scan.wake_event_readers();
    return null;
end
$$;
create trigger event_awaited after insert on scan.scan for each row
    when (new.state = 'AWAITING_UPLOAD') execute function scan.event_without_job('.upload.awaited');
create trigger event_cancelled after update on scan.scan for each row
    when (old.state = 'AWAITING_UPLOAD' and new.state = 'CANCELLED') execute function scan.event_without_job('.cancelled');
create trigger event_expired after update on scan.scan for each row
    when (old.state = 'AWAITING_UPLOAD' and new.state = 'EXPIRED') execute function scan.event_without_job('.expired');
create trigger event_awaited after insert on scan.client_job for each row
    when (new.state = 'AWAITING_UPLOAD') execute function scan.event_without_job('.upload.awaited');
create trigger event_cancelled after update on scan.client_job for each row
    when (old.state = 'AWAITING_UPLOAD' and new.state = 'CANCELLED') execute function scan.event_without_job('.cancelled');
create trigger event_expired after update on scan.client_job for each row
    when (old.state = 'AWAITING_UPLOAD' and new.state = 'EXPIRED') execute function scan.event_without_job('.expired');

-- What is deleted takes its jobs with it, and a scan its webhooks and its reward.
create function scan.event_deleted() returns trigger language plpgsql as $$
declare
    since bigint := scan.event_clock();
    moment timestamptz := clock_timestamp();
begin
    if tg_table_name = 'client_job' then
        insert into scan.event (clock, at, aggregatetype, aggregateid, type, payload)
        select since, moment, kind, id, 'eco2.' || kind || '.deleted', jsonb_build_object('job_id', id)
        from removed order by id;
    else
        insert into scan.event (clock, at, aggregatetype, aggregateid, type, payload)
        select since, moment, tg_table_name, id, 'eco2.' || tg_table_name || '.deleted', jsonb_build_object('job_id', id)
        from removed order by id;
    end if;
    if found then
        perform scan.wake_event_readers();
    end if;
    return null;
end
$$;
create trigger event_deleted after delete on scan.scan
    referencing old table as removed for each statement execute function scan.event_deleted();
create trigger event_deleted after delete on scan.export
    referencing old table as removed for each statement execute function scan.event_deleted();
create trigger event_deleted after delete on scan.client_job
    referencing old table as removed for each statement execute function scan.event_deleted();

-- A reply is worked on under a lease of its own: taken, given back after a failure, or gone with the reply that is stored.
create function scan.event_of_reply() returns trigger language plpgsql as $$
begin
    insert into scan.event (clock, at, aggregatetype, aggregateid, type, payload)
    values (scan.event_clock(), clock_timestamp(), 'reply', new.scan_id, 'eco2.reply' || tg_argv[0],
            jsonb_build_object('job_id', new.scan_id));
    perform scan.wake_event_readers();
    return null;
end
$$;
create trigger event_started after insert on scan.reply_lease for each row
    execute function scan.event_of_reply('.stage.started');
create trigger event_started_again after update on scan.reply_lease for each row
    when (new.token <> old.token) execute function scan.event_of_reply('.stage.started');
create trigger event_failed after update on scan.reply_lease for each row
    when (new.token = old.token and old.expires_at is not null and new.expires_at is null)
    execute function scan.event_of_reply('.failed');
create trigger event_succeeded after insert on scan.reply for each row execute function scan.event_of_reply('.succeeded');

-- Makes today's part and the next three days', of UTC, where they aren't there. What lies in the default part meanwhile moves
-- into its own. Attaching waits for whoever reads or writes the default part, briefly, and else is left to the next time.
create function scan.make_event_days() returns void language plpgsql set lock_timeout = '500ms' as $$
declare
    today timestamptz := date_trunc('day', now(), 'UTC');
    first timestamptz;
    part text;
begin
    for after in 0 .. 3 loop
        first := today + make_interval(hours => 24 * after);
        part := 'event' || to_char(first at time zone 'UTC', '_YYYY_MM_DD');
        continue when to_regclass('scan.' || part) is not null;
        lock table scan.event_default in access exclusive mode;
        execute format('create table scan.%I (like scan.event including all)', part);
        execute format('with moved as (delete from scan.event_default where at >= %1$L and at < %2$L returning *)
                        insert into scan.%3$I select * from moved', first, first + interval '24 hours', part);
        execute format('alter table scan.event attach partition scan.%I for values from (%L) to (%L)',
                       part, first, first + interval '24 hours');
    end loop;
end
$$;

select scan.make_event_days();

-- Drops the days that ended more than some days ago, and returns them. Where reading goes on from then stands in `event_log`.
create function scan.drop_event_days(days integer) returns setof text language plpgsql set lock_timeout = '500ms' as $$
declare
    limit_at timestamptz := now() - make_interval(days => days);
    part record;
begin
    for part in
        select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid
        where i.inhparent = 'scan.event'::regclass
          and substring(pg_get_expr(c.relpartbound, c.oid) from 'TO \(''([^'']+)''\)')::timestamptz < limit_at
    loop
        execute format('lock table scan.%I in access exclusive mode', part.relname);
        execute format(
            'update scan.event_log set dropped_clock = last.clock, dropped_id = last.id
             from (select clock, id from scan.%I order by clock desc, id desc limit 1) as last
             where (last.clock, last.id) > (dropped_clock, dropped_id)', part.relname);
        execute format('drop table scan.%I', part.relname);
        return next part.relname;
    end loop;
    with late as (
        delete from scan.event_default where at < limit_at returning clock, id
    ), last as (
        select clock, id from late order by clock desc, id desc limit 1
    )
    update scan.event_log set dropped_clock = last.clock, dropped_id = last.id
    from last where (last.clock, last.id) > (dropped_clock, dropped_id);
end
$$;
