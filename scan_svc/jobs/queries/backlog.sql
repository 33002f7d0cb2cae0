-- What the workers have before them, batch scans apart.
select count(*) filter (where state = 'READY' and priority >= 0) as waiting, count(*) filter (where priority >= 0) as in_system,
       count(*) filter (where state = 'READY' and priority < 0) as batch_waiting,
       count(*) filter (where priority < 0) as batch_in_system
from scan.job
where kind = 'scan' and state in ('READY', 'LEASED')
