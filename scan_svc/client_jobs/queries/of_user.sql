select id from scan.client_job where user_id = $1 order by id limit $2
