-- How many jobs are due that were in several crashes of their stage.
select count(*) from scan.job where kind = 'scan' and state = 'READY' and crashes >= 2 and run_at <= now()
/* at these stages */
