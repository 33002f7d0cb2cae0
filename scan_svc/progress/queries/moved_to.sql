select to_user from scan.moved_user where from_user = $1
