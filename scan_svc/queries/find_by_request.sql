select id, payload_hash from scan.scan where user_id = $1 and request_id = $2
