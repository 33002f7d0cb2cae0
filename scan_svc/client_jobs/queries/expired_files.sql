-- Client jobs whose file has been there for longer than $1 seconds.
select id from scan.client_job where file_key <> '' and finished_at < now() - make_interval(secs => $1) limit $2
