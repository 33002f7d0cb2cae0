-- What guests brought an account that is closed now goes as well, wherever it is.
-- $1 user_id
update auth.departure set to_user = null, run_at = now() where to_user = $1;
