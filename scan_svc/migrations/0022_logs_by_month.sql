-- The logs that only grow, of failed tries and of deliveries, by month: each is filled, rests, and is dropped whole once it
-- is past the retention; meanwhile a vacuum reads the month that is written and no other. What is there already is the
-- first part, up to the end of this month: it is attached as it is, not copied. Scans themselves stay in one table: see
-- docs/adr/0073-logs-are-kept-by-month-scans-by-row.md.

alter table scan.failed_attempt rename to failed_attempt_before;
create table scan.failed_attempt (like scan.failed_attempt_before including defaults) partition by range (ended_at);
create index on scan.failed_attempt (scan_id, ended_at);

alter table scan.webhook_attempt rename to webhook_attempt_before;
create table scan.webhook_attempt (
    like scan.webhook_attempt_before including defaults,
    primary key (webhook_id, attempt, at),
    foreign key (webhook_id) references scan.webhook (id) on delete cascade
) partition by range (at);

-- The beginning of a month of UTC, so many after this one.
create function scan.month_begins(after integer) returns timestamptz language sql stable as $$
    select (date_trunc('month', now() at time zone 'UTC') + make_interval(months => after)) at time zone 'UTC'
$$;

do $$
declare
    log text;
begin
    foreach log in array array['failed_attempt', 'webhook_attempt'] loop
        execute format('alter table scan.%I attach partition scan.%I for values from (minvalue) to (%L)',
                       log, log || '_before', scan.month_begins(1));
    end loop;
end
$$;

-- Makes the next three months of each log, where they aren't there. A table is made apart and attached: who writes
-- doesn't wait. Only workers write, and every worker does the housekeeping, so nobody finds no month to write to.
create function scan.make_months() returns void language plpgsql as $$
declare
    log text;
    part text;
begin
    foreach log in array array['failed_attempt', 'webhook_attempt'] loop
        for after in 1 .. 3 loop
            part := log || to_char(scan.month_begins(after) at time zone 'UTC', '_YYYY_MM');
            continue when to_regclass('scan.' || part) is not null;
            execute format('create table scan.%I (like scan.%I including all)', part, log);
            execute format('alter table scan.%I attach partition scan.%I for values from (%L) to (%L)',
                           log, part, scan.month_begins(after), scan.month_begins(after + 1));
        end loop;
    end loop;
end
$$;

select scan.make_months();

-- Drops the months that ended more than some days ago, and returns them. Whoever waits for a table makes all wait who
-- come after, so it waits briefly, fails, and is tried again with the next housekeeping.
create function scan.drop_months(days integer) returns setof text language plpgsql set lock_timeout = '500ms' as $$
declare
    part record;
begin
    for part in
        select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid
        where i.inhparent in ('scan.failed_attempt'::regclass, 'scan.webhook_attempt'::regclass)
          and substring(pg_get_expr(c.relpartbound, c.oid) from 'TO \(''([^'']+)''\)')::timestamptz
              < now() - make_interval(days => days)
    loop
        execute format('drop table scan.%I', part.relname);
        return next part.relname;
    end loop;
end
$$;
