-- One row a user and character: of a character that both have, the scan that earned it first.
-- $1 from_user, $2 to_user
with given as (
    delete from character.owned_character where user_id = $1 returning character_id, scan_id, earned_at
)
insert into character.owned_character as owned (user_id, character_id, scan_id, earned_at)
select $2, character_id, scan_id, earned_at from given order by character_id
on conflict (user_id, character_id) do update
set scan_id = excluded.scan_id, earned_at = excluded.earned_at
where excluded.earned_at < owned.earned_at;
