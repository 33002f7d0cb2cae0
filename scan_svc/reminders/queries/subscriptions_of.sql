select * from scan.subscription where user_id = $1 order by created_at, id
