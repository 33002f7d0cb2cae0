-- What the workers have before them.
select count(*) filter (where state = 'READY') as waiting, count(*) as in_system
from scan.job
where kind = 'scan' and state in ('READY', 'LEASED')
