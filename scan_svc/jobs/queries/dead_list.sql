-- Scans that failed for good and rewards that couldn't be had, longest dead first, after a point in that order. run_at is when they died: nothing else
-- moves it while they lie here.
select id, ref, state, stage, attempt, replays, last_error::text as last_error, spent::text as spent, run_at
from scan.job
where kind in ('scan', 'reward') and state = $1 and ($2 = '' or stage = $2) and ($3 = '' or last_error ->> 'reason' = $3)
  and run_at <= now() - make_interval(secs => $4)
  and ($5::timestamptz is null or (run_at, id) > ($5, $6))
order by run_at, id
limit $7
