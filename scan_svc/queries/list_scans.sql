-- One page of a user's history; ids sort by creation.
select * from scan.scan_detail where user_id = $1 and not hidden and id < coalesce($2, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid) order by id desc limit $3
