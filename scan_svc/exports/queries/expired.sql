-- Exports whose file has been there for longer than $1 seconds.
select id, object_key from scan.export where finished_at < now() - make_interval(secs => $1) limit $2
