-- A user's rewards by character: what a collection counts. The table is one row a scan; the index is built before it is
-- large.
create index reward_earned on character.reward (user_id, character_id, evaluated_at) where character_id is not null;
