-- One page of all scans of a user, those that only a job shows among them; ids sort by creation.
select * from scan.scan_detail
where user_id = $1 and id < coalesce($2, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid) order by id desc limit $3
