-- Dead letters that were replayed often enough wait for a person now.
update scan.job set state = 'ARCHIVED'
where kind in ('scan', 'reward') and state = 'DEAD' and replays >= $1
returning id
