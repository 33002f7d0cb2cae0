-- One page of a user's history; ids sort by creation.
select * from scan.scan_detail where user_id = $1 and ($2::uuid is null or id < $2) order by id desc limit $3
