-- Scans, and the job tables that carry them (pipeline.md). The scan row is what users see and what lasts; the job row is
-- what workers fight over, and is gone once the scan has succeeded; a stage's result is written once and never again.

create table scan.scan (
    id            uuid primary key,  -- UUIDv7: sorts by creation
    user_id       text not null,
    request_id    text,
    payload_hash  bytea not null,
    -- QUEUED as long as there is a live job; the view says RUNNING while a worker holds it.
    state         text not null check (state in
        ('AWAITING_UPLOAD', 'QUEUED', 'SUCCEEDED', 'FAILED', 'CANCELLED', 'EXPIRED')),
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
    callback_url  text not null default '',
    percent       smallint not null default 0,
    step          text not null,
    outputs       jsonb,  -- what all stages produced, once the job is gone
    stages        jsonb,  -- how often each was tried, how long it took, what it cost; once the job is gone
    error         jsonb,
    created_at    timestamptz not null default now(),
    started_at    timestamptz,
    finished_at   timestamptz
) with (fillfactor = 80);

create unique index scan_request on scan.scan (user_id, request_id) where request_id is not null;
create index scan_history on scan.scan (user_id, id desc);
create index scan_awaiting on scan.scan (created_at) where state = 'AWAITING_UPLOAD';

create table scan.job (
    id           bigint generated always as identity primary key,
    kind         text not null check (kind in ('scan', 'webhook')),
    ref          uuid not null,
    state        text not null check (state in ('READY', 'LEASED', 'DEAD', 'ARCHIVED')),
    stage        text not null,
    attempt      smallint not null default 0,
    crashes      smallint not null default 0,
    replays      smallint not null default 0,
    priority     smallint not null default 0,
    run_at       timestamptz not null default now(),
    worker_id    bigint,
    token        integer not null default 0,  -- fencing: raised by whoever takes the job over
    -- What readers see while the job lives: here, so that a checkpoint touches one hot row and not two.
    version      integer not null default 1,
    percent      smallint not null default 0,
    step         text not null default 'queue',
    last_error   jsonb,
    traceparent  text,
    unique (kind, ref)
) with (fillfactor = 60, autovacuum_vacuum_scale_factor = 0.02);

-- No index may name a column that a checkpoint changes (stage, attempt, version …): its updates must stay HOT.
create index job_claimable on scan.job (kind, priority desc, run_at, id) where state = 'READY';
create index job_leased on scan.job (worker_id) where state = 'LEASED';
create index job_dead on scan.job (kind, run_at, id) where state = 'DEAD';

-- Insert-only, one result per stage; no foreign key, since only a statement that holds the job's row writes here.
create table scan.stage_result (
    job_id       bigint not null,
    stage        text not null,
    token        integer not null,
    output       jsonb not null,
    run          jsonb not null,  -- attempts, duration and cost
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

-- A scan with all that its stages produced: what every reader reads.
create view scan.scan_detail as
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
        ::text as stages
from scan.scan s
left join scan.job j on j.kind = 'scan' and j.ref = s.id;
