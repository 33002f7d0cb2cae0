-- Calendars that users' apps subscribe to. Of the address, which is the secret, a digest is kept.
create table scan.calendar (
    user_id     text primary key,
    id          uuid not null default gen_random_uuid(),
    digest      bytea not null unique,
    region      text not null,
    building    text not null,
    locale      text not null,
    created_at  timestamptz not null default now()
);
