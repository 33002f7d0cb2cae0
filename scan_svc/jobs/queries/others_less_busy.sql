-- Whether another worker that does the same stages has at most half as many jobs at work as this one ($2).
select exists (
    select from scan.worker w
    where w.id <> $1 and w.stages = $3
      and 2 * (select count(*) from scan.job j where j.worker_id = w.id and j.state = 'LEASED') <= $2
)
