-- Client jobs of a kind that are due and were in several crashes.
select count(*) from scan.job where kind = $1 and state = 'READY' and crashes >= 2 and run_at <= now()
