-- $1 from_user, $2 to_user
with corrected as (
    update character.corrected_reward set user_id = $2 where user_id = $1
)
update character.reward set user_id = $2 where user_id = $1;
