-- Scans and client jobs that failed for good and rewards that couldn't be had, longest dead first, after a point in that
-- order. run_at is when they died: nothing else moves it while they lie here.
select j.id, j.ref, j.kind, coalesce(s.user_id, c.user_id, '') as user_id, j.state, j.stage, j.attempt, j.replays,
       j.last_error::text as last_error, j.spent::text as spent, j.run_at
from scan.job j
left join scan.scan s on j.kind in ('scan', 'reward') and s.id = j.ref
left join scan.client_job c on c.kind = j.kind and c.id = j.ref
where j.state = $1 and (j.kind in ('scan', 'reward') or c.id is not null)
  and ($2 = '' or j.stage = $2) and ($3 = '' or j.last_error ->> 'reason' = $3)
  and j.run_at <= now() - make_interval(secs => $4)
  and ($5::timestamptz is null or (j.run_at, j.id) > ($5, $6))
order by j.run_at, j.id
limit $7
