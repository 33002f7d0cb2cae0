-- One page of a user's client jobs, all of them if $4 is empty; ids sort by creation.
select * from scan.client_job_detail
where user_id = $1 and id < coalesce($2, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid) and ($4 = '' or kind = $4)
order by id desc
limit $3
