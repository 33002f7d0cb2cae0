-- Guests who have signed in as somebody who had an account already: what Redis shows of their scans may name them still.
-- Kept for two days, longer than Redis keeps anything.
create table scan.moved_user (
    from_user  text        primary key,
    to_user    text        not null,
    moved_at   timestamptz not null default now()
);

-- What deleted scans left behind is moved and made nobody's by its user.
create index tombstone_user on scan.tombstone (user_id);
