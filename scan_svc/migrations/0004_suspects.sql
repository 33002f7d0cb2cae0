-- Suspects are looked for every second; a backlog of others must not be read through for it. The column is in the
-- predicate, so an update stays HOT unless it changes the count: a checkpoint does so only after a crash.
create index job_suspect on scan.job (kind, run_at) where state = 'READY' and crashes >= 2;
