-- Removes a client job; a trigger removes its job.
delete from scan.client_job where id = $1 returning id
