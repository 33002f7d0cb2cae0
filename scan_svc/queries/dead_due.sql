-- What is to be replayed next by itself: longest dead first.
select ref from scan.job
where kind = 'scan' and state = 'DEAD' and replays < $1
order by run_at, id
limit $2
