-- What users replied to the questions that their scans' answers left open. What a reply made of the scan stands in the
-- scan's own row.
create table scan.reply (
    id          bigint generated always as identity primary key,
    scan_id     uuid not null references scan.scan (id) on delete cascade,
    request_id  text,
    reply       text not null,
    understood  boolean not null,
    message     text not null,   -- what the user was told about it
    question    text not null,   -- the question that counts from then on
    created_at  timestamptz not null default now()
);

create unique index reply_request on scan.reply (scan_id, request_id) where request_id is not null;
create index reply_scan on scan.reply (scan_id, id) where request_id is null;
