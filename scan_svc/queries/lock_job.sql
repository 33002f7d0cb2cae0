-- Waits for a write that is under way on a scan's job: what it stores is seen by the next statement.
select id from scan.job where kind = 'scan' and ref = $1 for update
