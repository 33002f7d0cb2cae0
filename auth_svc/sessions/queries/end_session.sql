-- $1 session_id
delete from auth.session where session_id = $1;
