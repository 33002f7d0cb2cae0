-- The ids of a user's oldest scans.
select id from scan.scan where user_id = $1 order by id limit $2
