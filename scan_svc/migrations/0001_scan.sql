-- Scans, and the job tables that carry them (pipeline.md). The scan row is what users see; the job row is what workers
-- fight over; a stage's result is written once and never again.

create table scan.scan (
    id            uuid primary key,  -- UUIDv7: sorts by creation
    user_id       text not null,
    request_id    text,
    payload_hash  bytea not null,
    state         text not null check (state in
        ('AWAITING_UPLOAD', 'QUEUED', 'RUNNING', 'SUCCEEDED', 'FAILED', 'CANCELLED', 'EXPIRED')),
    version       integer not null,
    image_url     text not null,
    object_key    text not null,
    content_type  text not null,
    size_bytes    integer not null,
    sha256        text not null,
    user_input    text not null,
    latitude      double precision,
    longitude     double precision,
    region        text not null,
    locale        text not null,
    percent       smallint not null default 0,
    step          text not null,
    error         jsonb,
    created_at    timestamptz not null default now(),
    started_at    timestamptz,
    finished_at   timestamptz
) with (fillfactor = 70);

create unique index scan_request on scan.scan (user_id, request_id) where request_id is not null;
create index scan_history on scan.scan (user_id, id desc);
create index scan_awaiting on scan.scan (created_at) where state = 'AWAITING_UPLOAD';

create table scan.job (
    id           bigint generated always as identity primary key,
    kind         text not null check (kind in ('scan', 'webhook')),
    ref          uuid not null,
    state        text not null check (state in ('READY', 'LEASED', 'DONE', 'DEAD', 'ARCHIVED')),
    stage        text not null,
    attempt      smallint not null default 0,
    crashes      smallint not null default 0,
    replays      smallint not null default 0,
    priority     smallint not null default 0,
    run_at       timestamptz not null default now(),
    worker_id    bigint,
    token        integer not null default 0,  -- fencing: raised by whoever takes the job over
    last_error   jsonb,
    traceparent  text,
    unique (kind, ref)
) with (fillfactor = 60, autovacuum_vacuum_scale_factor = 0.02);

create index job_claimable on scan.job (kind, priority desc, run_at, id) where state = 'READY';
create index job_leased on scan.job (worker_id) where state = 'LEASED';
create index job_dead on scan.job (kind, stage, run_at) where state = 'DEAD';

create table scan.stage_result (
    job_id       bigint not null references scan.job (id) on delete cascade,
    stage        text not null,
    token        integer not null,
    output       jsonb not null,
    attempts     smallint not null,
    duration_ms  integer not null,
    finished_at  timestamptz not null default clock_timestamp(),
    primary key (job_id, stage)
);

-- One row a worker process: however many scans it holds, one heartbeat keeps them.
create table scan.worker (
    id       bigint generated always as identity primary key,
    beat_at  timestamptz not null default now()
);

-- Whoever moves next_at runs the task.
create table scan.periodic (
    name     text primary key,
    next_at  timestamptz not null default now()
);
insert into scan.periodic (name) values ('expire_uploads');

-- A scan with all that its stages produced: what every reader reads.
create view scan.scan_detail as
select
    s.*,
    (select jsonb_object_agg(r.stage, r.output) from scan.stage_result r where r.job_id = j.id)::text as outputs,
    (select jsonb_agg(jsonb_build_object('stage', r.stage, 'attempts', r.attempts, 'duration_ms', r.duration_ms)
                      order by r.finished_at)
     from scan.stage_result r where r.job_id = j.id)::text as stages
from scan.scan s
left join scan.job j on j.kind = 'scan' and j.ref = s.id;
