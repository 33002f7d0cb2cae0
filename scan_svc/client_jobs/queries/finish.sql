-- A client job has succeeded. No row means fenced.
-- $1 job, $2 token, $3 version, $4 done, $5 total, $6 result, $7 file_key, $8 its bytes, $9 cost
with ended as (
    delete from scan.job where id = $1 and token = $2 returning ref
)
update scan.client_job c
set state = 'SUCCEEDED', version = $3, percent = 100, step = 'done', done = $4, total = $5, result = $6::jsonb,
    file_key = $7, file_bytes = $8, cost_micro_usd = greatest(c.cost_micro_usd, $9), cursor = null, error = null,
    finished_at = now()
from ended where c.id = ended.ref
returning c.id
