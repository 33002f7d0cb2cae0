-- What is left of a user without scans. What models have cost stays, as nobody's.
-- $1 user_id
with endpoints as (
    delete from scan.webhook_endpoint where user_id = $1
), moves as (
    delete from scan.moved_user where $1 in (from_user, to_user)
), tombstones as (
    update scan.tombstone set user_id = '' where user_id = $1
)
update scan.reply_cost set user_id = '' where user_id = $1
