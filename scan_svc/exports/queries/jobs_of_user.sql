select id from scan.client_job where user_id = $1 and kind = 'client_export'
