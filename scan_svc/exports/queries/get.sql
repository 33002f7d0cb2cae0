select id, user_id, state, object_key, size_bytes, created_at, finished_at from scan.export where id = $1
