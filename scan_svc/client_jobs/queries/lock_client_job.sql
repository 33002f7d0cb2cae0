select id from scan.client_job where id = $1 for update
