-- Tells the workers that listen which kind of job there is to claim.
select pg_notify('scan_ready', $1)
