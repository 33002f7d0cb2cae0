-- True for the one caller that may run the task now.
update scan.periodic set next_at = now() + make_interval(secs => $2) where name = $1 and next_at <= now() returning name
