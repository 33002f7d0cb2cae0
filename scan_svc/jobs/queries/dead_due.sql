-- What is to be replayed next by itself: longest dead first, and scans before rewards, whose users have their answer.
select ref from scan.job
where kind in ('scan', 'reward') and state = 'DEAD' and replays < $1
order by kind = 'reward', run_at, id
limit $2
