-- Waits for a start that is under way: the job it makes is seen by the next statement.
select id from scan.scan where id = $1 for update
