-- Dead letters, longest dead first.
select ref, id, stage, attempt, replays, last_error::text as last_error, run_at
from scan.job
where kind = 'scan' and state = 'DEAD' and ($1 = '' or stage = $1)
  and ($2::timestamptz is null or (run_at, id) > ($2, $3))
order by run_at, id
limit $4
