-- A reward's job is over without a change to its scan: it has its reward already. No row means fenced.
delete from scan.job where kind = 'reward' and id = $1 and token = $2 returning id
