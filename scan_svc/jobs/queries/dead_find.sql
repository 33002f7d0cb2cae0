-- The dead letter of a scan or of a client job.
select j.id, j.ref, j.kind, coalesce(s.user_id, c.user_id, '') as user_id, j.state, j.stage, j.attempt, j.replays,
       j.last_error::text as last_error, j.spent::text as spent, j.run_at
from scan.job j
left join scan.scan s on j.kind in ('scan', 'reward') and s.id = j.ref
left join scan.client_job c on c.kind = j.kind and c.id = j.ref
where j.ref = $1 and j.state in ('DEAD', 'ARCHIVED') and (j.kind in ('scan', 'reward') or c.id is not null)
