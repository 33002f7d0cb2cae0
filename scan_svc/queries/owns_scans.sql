select exists (select from scan.scan where user_id = $1)
