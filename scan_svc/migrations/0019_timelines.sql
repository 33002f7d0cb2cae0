-- What a scan went through, for operators: each try of a stage that failed, and the trace the scan was submitted in. Tries
-- that succeeded stand in `stages`.

-- No foreign key: whoever writes here holds the job's row, and must not wait for the scan's.
create table scan.failed_attempt (
    scan_id      uuid not null,
    stage        text not null,
    attempt      smallint not null,
    worker_id    bigint,
    ended_at     timestamptz not null default clock_timestamp(),
    duration_ms  integer,  -- null: its worker was gone
    error        jsonb     -- null: its worker was gone
);
create index failed_attempt_scan on scan.failed_attempt (scan_id, ended_at);

-- A scan takes them with it, whoever deletes it, the release before included.
create function scan.remove_failed_attempts() returns trigger language plpgsql as $$
begin
    delete from scan.failed_attempt a using removed where a.scan_id = removed.id;
    return null;
end
$$;

create trigger failed_attempts_removed after delete on scan.scan
    referencing old table as removed for each statement execute function scan.remove_failed_attempts();

-- 32 hex digits; while the scan has a job its traceparent stands there alone.
alter table scan.scan add column trace_id text default '' not null;
