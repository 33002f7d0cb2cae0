-- A stage failed and will be tried again in $4 seconds; $6 is 1 if that try doesn't count. It has had its turn, so it waits
-- for another one of its user. The try, which took $7 ms, is noted for operators. No row means fenced.
with put_back as (
    update scan.job
    set state = 'READY', worker_id = null, token = token + 1, version = (token + 1) * 10000, step = 'retry',
        attempt = attempt - $6, last_error = $3::jsonb, spent = nullif($5::jsonb, 'null'),
        run_at = now() + make_interval(secs => $4),
        turn = case kind when 'scan' then (select next.turn from scan.next_turn(user_id, priority) as next) else turn end
    where id = $1 and token = $2
    returning version, percent, kind, ref, stage, old.attempt, old.worker_id
), noted as (
    insert into scan.failed_attempt (scan_id, stage, attempt, worker_id, duration_ms, error)
    select ref, stage, attempt, worker_id, $7, $3::jsonb from put_back where kind in ('scan', 'reward')
)
select version, percent from put_back
