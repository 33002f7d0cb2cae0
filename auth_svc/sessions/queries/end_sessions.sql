-- $1 user_id
delete from auth.session where user_id = $1;
