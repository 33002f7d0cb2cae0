-- Whether a job is due that was in several crashes of its stage.
select exists (select from scan.job where kind = 'scan' and state = 'READY' and crashes >= 2 and run_at <= now())
