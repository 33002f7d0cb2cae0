-- Waits for a write that is under way on a client job's job: what it stores is seen by the next statement.
select j.id from scan.job j join scan.client_job c on j.kind = c.kind and j.ref = c.id where c.id = $1 for update of j
