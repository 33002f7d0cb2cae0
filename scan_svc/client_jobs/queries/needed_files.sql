select id from scan.client_job where id = any ($1::uuid[])
