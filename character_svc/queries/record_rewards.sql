-- Takes each scan's one place in reward and puts what it earned into the collections, both or neither.
-- Gives no row for a scan that was evaluated before: an evaluation at the same moment waits here for the other's commit.
-- Only a scan that was refused for what its answer left open may still earn, once its user has replied.
-- $1 scan_ids, each once, $2 user_ids, $3 verdicts, $4 character_ids, $5 match_reasons
--
-- All places are taken before any collection is touched, each in an order of its own: two processes that write at the
-- same moment wait for each other in one direction only.
with taken as (
    insert into character.reward as reward (scan_id, user_id, verdict, character_id, match_reason)
    select scan_id, coalesce(moved.to_user, user_id), verdict, character_id, match_reason
    from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[])
        as evaluated (scan_id, user_id, verdict, character_id, match_reason)
    left join character.moved_user as moved on moved.from_user = user_id
    order by scan_id
    on conflict (scan_id) do update
    set verdict = excluded.verdict, character_id = excluded.character_id, match_reason = excluded.match_reason
    where reward.user_id = excluded.user_id and reward.verdict = 'INSUFFICIENT' and excluded.verdict = 'EARNED'
    returning scan_id, user_id, character_id
), earned as (
    insert into character.owned_character (user_id, character_id, scan_id)
    select user_id, character_id, scan_id
    from taken
    where character_id is not null
    order by user_id, character_id, scan_id
    on conflict (user_id, character_id) do nothing
    returning scan_id
)
select scan_id, exists (select from earned where earned.scan_id = taken.scan_id) as first
from taken;
