-- Client jobs: what users ask for that takes longer than a call, other than scans. Their work is a row of scan.job, whose
-- kind is theirs, whose ref is their id, and whose stage is 'run'.

create table scan.client_job (
    id              uuid primary key,  -- UUIDv7: sorts by creation
    user_id         text not null,
    request_id      text,
    payload_hash    bytea not null,
    kind            text not null,  -- as in scan.job
    -- As of scans: QUEUED as long as there is a live job; the view says RUNNING while a worker holds it.
    state           text not null check (state in
        ('AWAITING_UPLOAD', 'QUEUED', 'SUCCEEDED', 'FAILED', 'CANCELLED', 'EXPIRED')),
    version         integer not null default 1,
    percent         smallint not null default 0,
    step            text not null,
    done            integer not null default 0,
    total           integer not null default 0,
    spec            jsonb not null,
    locale          text not null,
    object_key      text not null default '',  -- of its upload; empty if it has none
    content_type    text not null default '',
    size_bytes      bigint not null default 0,
    sha256          text not null default '',
    etag            text not null default '',
    cursor          jsonb,  -- what its last checkpoint kept; nobody but its kind reads it
    cost_micro_usd  bigint not null default 0,
    result          jsonb,
    file_key        text not null default '',  -- the file it has made; empty if there is none, or not any more
    file_bytes      bigint not null default 0,
    error           jsonb,
    traceparent     text not null default '',
    created_at      timestamptz not null default now(),
    started_at      timestamptz,
    finished_at     timestamptz
) with (fillfactor = 80);

create unique index client_job_request on scan.client_job (user_id, request_id) where request_id is not null;
create index client_job_of_user on scan.client_job (user_id, id desc);
create index client_job_live on scan.client_job (user_id, kind) where finished_at is null;
create index client_job_awaiting on scan.client_job (created_at) where state = 'AWAITING_UPLOAD';
create index client_job_finished on scan.client_job (finished_at) where finished_at is not null;

-- How far a live client job is, beside its percent; null for all others.
alter table scan.job add column done integer, add column total integer;

-- A client job takes its job with it, whoever deletes it; who is at it stops.
create function scan.remove_jobs_of_client_jobs() returns trigger language plpgsql as $$
declare
    gone bigint;
begin
    for gone in
        delete from scan.job j using removed where j.kind = removed.kind and j.ref = removed.id returning j.id
    loop
        perform pg_notify('scan_stop', gone::text);
    end loop;
    return null;
end
$$;

create trigger client_job_removed after delete on scan.client_job
    referencing old table as removed for each statement execute function scan.remove_jobs_of_client_jobs();

-- What every reader of client jobs reads.
create view scan.client_job_detail as
select
    c.id, c.user_id, c.kind, c.spec::text as spec, c.locale, c.object_key, c.content_type, c.size_bytes, c.sha256, c.etag,
    c.cost_micro_usd, c.result::text as result, c.file_key, c.file_bytes, c.error::text as error, c.created_at,
    c.started_at, c.finished_at,
    case j.state when 'LEASED' then 'RUNNING' else c.state end as state,
    case when j.state in ('READY', 'LEASED') then j.version else c.version end as version,
    case when j.state in ('READY', 'LEASED') then j.percent else c.percent end as percent,
    case when j.state in ('READY', 'LEASED') then j.step else c.step end as step,
    case when j.state in ('READY', 'LEASED') then coalesce(j.done, 0) else c.done end as done,
    case when j.state in ('READY', 'LEASED') then coalesce(j.total, 0) else c.total end as total,
    j.state is not distinct from 'LEASED' and not coalesce(w.stores_progress, false) as behind
from scan.client_job c
left join scan.job j on j.kind = c.kind and j.ref = c.id
left join scan.worker w on w.id = j.worker_id and j.state = 'LEASED';

-- Scans that a client job has had made, and those of them that its user isn't shown one by one.
alter table scan.scan add column client_job_id uuid, add column hidden boolean default false not null;

create index scan_of_client_job on scan.scan (client_job_id, id) where client_job_id is not null;
create index scan_shown on scan.scan (user_id, id desc) where not hidden;

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
    s.priority,
    s.client_job_id,
    s.hidden
from scan.scan s
left join scan.job j on j.kind = 'scan' and j.ref = s.id
left join scan.worker w on w.id = j.worker_id and j.state = 'LEASED';
