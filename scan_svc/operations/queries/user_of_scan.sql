select user_id from scan.scan where id = $1
