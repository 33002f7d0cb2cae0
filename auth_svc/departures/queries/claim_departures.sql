-- Takes departures that are due; they are due again when the lease is over.
-- $1 how many, $2 the lease
update auth.departure as departure set run_at = now() + $2::interval
from (
    select user_id from auth.departure where run_at <= now() order by run_at limit $1 for update skip locked
) as due
where departure.user_id = due.user_id
returning departure.user_id, departure.to_user, departure.tries;
