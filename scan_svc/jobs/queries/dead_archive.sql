-- Sets a dead letter aside. One that is archived already is found as well, and stays as it is.
update scan.job set state = 'ARCHIVED'
where kind in ('scan', 'reward') and ref = $1 and state in ('DEAD', 'ARCHIVED')
returning id, ref, state, stage, attempt, replays, last_error::text as last_error,
          spent::text as spent, run_at
