-- The rewards of many scans are known: each is added to its scan, as a later version, and its job is gone; in one
-- statement and one commit. Nothing is written for a job that is fenced, nor for a scan that has changed since it was
-- read, such as by a reply: then the reward is evaluated anew. The scan is locked before the job, as a deletion does.
with given as (
    select * from unnest($1::bigint[], $2::integer[], $3::uuid[], $4::integer[], $5::jsonb[], $6::jsonb[])
        as given (id, token, scan_id, version, reward, run)
), unchanged as materialized (
    select given.* from given
    join scan.scan s on s.id = given.scan_id and s.version = given.version and s.state = 'SUCCEEDED'
    for update of s
), ended as (
    delete from scan.job j using unchanged
    where j.kind = 'reward' and j.id = unchanged.id and j.token = unchanged.token
    returning unchanged.*
)
update scan.scan s
set outputs = s.outputs || jsonb_build_object('reward', ended.reward),
    stages = coalesce(s.stages, '[]'::jsonb) || jsonb_build_array(ended.run), version = s.version + 1
from ended where s.id = ended.scan_id
returning ended.id, ended.token, s.version
