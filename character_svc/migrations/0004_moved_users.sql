-- Guests who have signed in as somebody who had an account already: what their scans in flight earn is the other one's.
-- Kept for a day, longer than any scan.
create table character.moved_user (
    from_user  text        primary key,
    to_user    text        not null,
    moved_at   timestamptz not null default now()
);

-- A user's rewards are moved and erased, those that earned nothing included.
create index reward_user on character.reward (user_id);
create index corrected_reward_user on character.corrected_reward (user_id);
