-- The dead letter of a scan.
select id, ref, state, stage, attempt, replays, last_error::text as last_error, spent::text as spent, run_at
from scan.job
where kind in ('scan', 'reward') and ref = $1 and state in ('DEAD', 'ARCHIVED')
