-- What each scan deserved: its first evaluation, which stands.
create table character.reward (
    scan_id      uuid        primary key,
    user_id      text        not null,
    verdict      text        not null check (verdict in ('EARNED', 'NOT_RECYCLABLE', 'NO_RULES', 'INSUFFICIENT')),
    character_id text,
    match_reason text        check (match_reason in ('middle', 'default')),
    evaluated_at timestamptz not null default now(),
    check ((verdict = 'EARNED') = (character_id is not null)),
    check ((character_id is null) = (match_reason is null))
);

-- Who has which character, and the scan that brought it: that scan's reward is GRANTED, any other's ALREADY_OWNED.
create table character.owned_character (
    user_id      text        not null,
    character_id text        not null,
    scan_id      uuid        not null,
    earned_at    timestamptz not null default now(),
    primary key (user_id, character_id)
);
