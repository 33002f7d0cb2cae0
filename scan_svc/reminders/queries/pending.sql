select id from scan.client_job
where user_id = $1 and kind = 'message' and finished_at is null and spec ->> 'scan_id' = $2
order by id
