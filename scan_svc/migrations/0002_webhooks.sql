-- Webhooks: what is told about the end of a scan, and every try to tell it. The work itself is a job of kind 'webhook',
-- whose ref is the webhook.

-- Who is told, with the secret that signs it; one for each user and address.
create table scan.webhook_endpoint (
    user_id     text not null,
    url         text not null,
    secret      text not null,
    created_at  timestamptz not null default now(),
    gone_at     timestamptz,  -- it answered 410: nothing is sent until a scan is created with it anew
    primary key (user_id, url)
);

-- Its body isn't kept but made from the scan at each try, so a scan that is deleted leaves nothing here.
create table scan.webhook (
    id          uuid primary key,
    scan_id     uuid not null references scan.scan (id) on delete cascade,
    event       text not null check (event in ('scan.succeeded', 'scan.failed')),
    created_at  timestamptz not null default now(),
    queued_at   timestamptz not null default now(),  -- what the day of retries is counted from; later after a redelivery
    unique (scan_id, event)
);

-- Insert-only: the delivery log.
create table scan.webhook_attempt (
    webhook_id   uuid not null references scan.webhook (id) on delete cascade,
    attempt      smallint not null,
    at           timestamptz not null default clock_timestamp(),
    status       integer,
    error        text not null,  -- empty: delivered
    duration_ms  integer not null,
    primary key (webhook_id, attempt, at)
);

-- A webhook takes its job with it, in whatever state: nothing else would ever remove a dead one. A worker that is at it
-- is fenced.
create function scan.remove_webhook_jobs() returns trigger language plpgsql as $$
begin
    delete from scan.job j using removed where j.kind = 'webhook' and j.ref = removed.id;
    return null;
end
$$;

create trigger webhook_removed after delete on scan.webhook
    referencing old table as removed for each statement execute function scan.remove_webhook_jobs();
