-- A stage failed and will be tried again in $4 seconds; $6 is 1 if that try doesn't count. It has had its turn, so it waits
-- for another one of its user. No row means fenced.
update scan.job
set state = 'READY', worker_id = null, token = token + 1, version = (token + 1) * 10000, step = 'retry',
    attempt = attempt - $6, last_error = $3::jsonb, spent = nullif($5::jsonb, 'null'), run_at = now() + make_interval(secs => $4),
    turn = case kind when 'scan' then (select next.turn from scan.next_turn(user_id) as next) else turn end
where id = $1 and token = $2
returning version, percent
