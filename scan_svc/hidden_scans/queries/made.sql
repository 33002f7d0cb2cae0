-- The scans of a client job, in the order in which they were made, without those whose photo hasn't come: these are made
-- once more.
select id, request_id
from scan.scan
where client_job_id = $1 and state <> 'AWAITING_UPLOAD' and ($2::uuid is null or id > $2)
order by id
limit $3
