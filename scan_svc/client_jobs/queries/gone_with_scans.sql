-- Client jobs that are gone, with hidden scans left that were being made at that moment.
select distinct s.client_job_id as id from scan.scan s
where s.client_job_id is not null and s.hidden and s.created_at < now() - interval '10 minutes'
  and not exists (select from scan.client_job c where c.id = s.client_job_id)
limit $1
