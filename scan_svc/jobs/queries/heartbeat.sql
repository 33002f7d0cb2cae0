-- No row means this worker was declared dead.
update scan.worker set beat_at = now() where id = $1 returning id
