-- What a user's scan earned by correction, and whether that brought the character.
-- $1 scan_id, $2 user_id
select
    reward.verdict,
    reward.character_id,
    reward.match_reason,
    owned.scan_id is not null as first
from character.corrected_reward as reward
left join character.owned_character as owned
    on owned.user_id = reward.user_id
    and owned.character_id = reward.character_id
    and owned.scan_id = reward.scan_id
where reward.scan_id = $1
    and reward.user_id = coalesce((select to_user from character.moved_user where from_user = $2), $2);
