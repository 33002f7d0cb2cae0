select id, object_key from scan.export where user_id = $1
