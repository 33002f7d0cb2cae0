-- $1 user_id
with moved as (
    delete from character.moved_user where $1 in (from_user, to_user)
), owned as (
    delete from character.owned_character where user_id = $1
), corrected as (
    delete from character.corrected_reward where user_id = $1
)
delete from character.reward where user_id = $1;
