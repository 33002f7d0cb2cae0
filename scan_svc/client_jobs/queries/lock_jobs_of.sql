-- Waits for writes that are under way on the jobs of a user's client jobs.
select j.id from scan.job j join scan.client_job c on j.kind = c.kind and j.ref = c.id
where c.user_id = $1 order by j.id for update of j
