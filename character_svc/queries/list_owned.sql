-- A user's collection, first earned first.
-- $1 user_id
select character_id, earned_at
from character.owned_character
where user_id = $1
order by earned_at, character_id;
