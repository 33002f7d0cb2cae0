-- The file that is needed of each of these jobs ($1): of one that has succeeded, was cancelled, has expired or failed a week
-- ago what it has made, if it has made anything; of all others null: a worker may need the upload, and so may a replay.
select id, case
    when state in ('SUCCEEDED', 'CANCELLED', 'EXPIRED') or (state = 'FAILED' and finished_at < now() - interval '7 days')
    then file_key end as file_key
from scan.client_job where id = any ($1::uuid[])
