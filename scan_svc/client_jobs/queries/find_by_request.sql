select id, payload_hash from scan.client_job where user_id = $1 and request_id = $2
