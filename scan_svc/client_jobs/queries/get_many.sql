select * from scan.client_job_detail where id = any ($1::uuid[])
