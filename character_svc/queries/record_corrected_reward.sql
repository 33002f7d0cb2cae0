-- Takes the scan's one place for a correction, and puts what that earned into the collection, both or neither.
-- Gives no row when the scan has earned by correction before.
-- $1 scan_id, $2 user_id, $3 verdict, $4 character_id, $5 match_reason
with taken as (
    insert into character.corrected_reward as reward (scan_id, user_id, verdict, character_id, match_reason)
    values ($1, coalesce((select to_user from character.moved_user where from_user = $2), $2), $3, $4, $5)
    on conflict (scan_id) do update
    set verdict = excluded.verdict, character_id = excluded.character_id, match_reason = excluded.match_reason
    where reward.user_id = excluded.user_id and reward.verdict <> 'EARNED'
    returning scan_id, user_id, character_id
), earned as (
    insert into character.owned_character (user_id, character_id, scan_id)
    select user_id, character_id, scan_id
    from taken
    where character_id is not null
    on conflict (user_id, character_id) do nothing
    returning scan_id
)
select exists (select from earned) as first
from taken;
