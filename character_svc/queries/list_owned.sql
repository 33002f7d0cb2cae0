-- A user's collection, first earned first, with how often each character was earned and when last.
-- $1 user_id
--
-- Counted from the rewards, which are written in the same statement as the collection: no counter has to be kept.
select owned.character_id, owned.earned_at, earned.count, earned.last_earned_at
from character.owned_character as owned
cross join lateral (
    select count(*) as count, greatest(max(reward.evaluated_at), owned.earned_at) as last_earned_at
    from (
        select evaluated_at from character.reward as reward
        where reward.user_id = owned.user_id and reward.character_id = owned.character_id
        union all
        select evaluated_at from character.corrected_reward as reward
        where reward.user_id = owned.user_id and reward.character_id = owned.character_id
    ) as reward
) as earned
where owned.user_id = $1
order by owned.earned_at, owned.character_id;
