-- All has followed: the departure is over, or due once more when no token can be good. One that has changed meanwhile stays
-- due as it is.
-- $1 user_id, $2 to_user, $3 how long a token may be good
with over as (
    delete from auth.departure
    where user_id = $1 and to_user is not distinct from $2 and left_at <= now() - $3::interval
)
update auth.departure set run_at = left_at + $3::interval, tries = 0
where user_id = $1 and to_user is not distinct from $2 and left_at > now() - $3::interval and run_at > now();
