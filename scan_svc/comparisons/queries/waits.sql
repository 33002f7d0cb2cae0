-- Until when a comparison waits; null if it doesn't.
select run_at from scan.job where kind = 'comparison' and ref = $1 and state = 'READY' and run_at > now()
