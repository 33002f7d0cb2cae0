-- An export is over, well or not. No row means fenced.
-- $1 job, $2 token, $3 state, $4 bytes
with ended as (
    delete from scan.job where kind = 'export' and id = $1 and token = $2 returning ref
)
update scan.export e set state = $3, size_bytes = $4, account = '', finished_at = now()
from ended where e.id = ended.ref
returning e.id
