-- What a deleted scan leaves behind: that it was, and what it cost.
create table scan.tombstone (
    scan_id     uuid primary key,
    user_id     text not null,
    created_at  timestamptz not null,
    deleted_at  timestamptz not null default now(),
    usage       jsonb not null  -- as scan.scan.stages: attempts, duration and cost of each stage that finished
);

create index job_archived on scan.job (kind, run_at, id) where state = 'ARCHIVED';
