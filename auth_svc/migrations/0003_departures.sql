-- Users who are gone, until their data has followed in all services: guests who have signed in as somebody who had an
-- account already, and users who have deleted theirs. The row is written by the transaction that decides it.
create table auth.departure (
    user_id  text        primary key,
    to_user  text,                               -- whose the data becomes; null: it is erased
    left_at  timestamptz not null default now(),
    run_at   timestamptz not null default now(),  -- when it is worked on next
    tries    integer     not null default 0       -- in vain, in a row
);

create index departure_due on auth.departure (run_at);
create index departure_to on auth.departure (to_user);
