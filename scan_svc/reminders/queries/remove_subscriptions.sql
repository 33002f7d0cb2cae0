delete from scan.subscription where user_id = $1 and id = any ($2::uuid[]) returning channel, address
