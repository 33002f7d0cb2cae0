-- All that is kept of a user, as one file in object storage. Making it is a job of kind 'export', whose ref is the export.
create table scan.export (
    id           uuid        primary key,
    user_id      text        not null,
    state        text        not null default 'RUNNING',  -- then SUCCEEDED or FAILED
    account      text        not null,  -- what Auth keeps, as JSON; empty once it is in the file
    object_key   text        not null,  -- can't be guessed
    size_bytes   bigint      not null default 0,
    created_at   timestamptz not null default now(),
    finished_at  timestamptz
);

create unique index export_running on scan.export (user_id) where state = 'RUNNING';
create index export_user on scan.export (user_id);
create index export_finished on scan.export (finished_at);
