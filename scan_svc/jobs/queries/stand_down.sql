-- Ends a lease before its time, so that the next one needn't wait for it.
update scan.periodic set next_at = now() where name = $1 and next_at = $2
