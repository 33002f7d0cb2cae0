-- One page of a user's history: which scans, and the version of each that has ended; null of the others. The rest of an
-- ended one may be read elsewhere, as long as it is this version.
select id, case when finished_at is not null then version end as version
from scan.scan
where user_id = $1 and not hidden and id < coalesce($2, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid)
order by id desc
limit $3
