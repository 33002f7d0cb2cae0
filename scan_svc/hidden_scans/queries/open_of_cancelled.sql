-- Scans at work of which the client job was cancelled.
select s.id
from scan.client_job c
join scan.scan s on s.client_job_id = c.id and s.hidden and s.finished_at is null
where c.state = 'CANCELLED' and c.finished_at > now() - interval '1 hour'
limit $1
