delete from scan.calendar where user_id = $1
