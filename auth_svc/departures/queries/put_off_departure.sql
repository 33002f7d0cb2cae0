-- $1 user_id, $2 seconds until the next try, $3 whether this one was in vain
update auth.departure
set run_at = now() + make_interval(secs => $2), tries = case when $3 then tries + 1 else 0 end
where user_id = $1;
