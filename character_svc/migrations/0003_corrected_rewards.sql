-- What scans deserved once their users had said that they show something else. The first evaluation stands beside it: what
-- was granted isn't taken back. A scan earns by correction once.
create table character.corrected_reward (
    scan_id      uuid        primary key,
    user_id      text        not null,
    verdict      text        not null,
    character_id text,
    match_reason text,
    evaluated_at timestamptz not null default now()
);

create index corrected_reward_earned on character.corrected_reward (user_id, character_id, evaluated_at)
    where character_id is not null;
