-- Whether this very lease stored the stage's result, or ended the scan: the answer to a commit whose outcome was lost.
select exists (select from scan.stage_result where job_id = $1 and stage = $2 and token = $3)
    or exists (select from scan.scan where id = $4 and state = 'SUCCEEDED' and version = $5)
