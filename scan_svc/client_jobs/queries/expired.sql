-- Client jobs that ended more than $1 days ago.
select id from scan.client_job where finished_at < now() - make_interval(days => $1) order by finished_at limit $2
