select id, user_id, state, object_key, size_bytes, created_at, finished_at
from scan.export where user_id = $1 and state = 'RUNNING'
