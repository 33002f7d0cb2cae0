-- Sessions and identities go with it.
-- $1 user_id
delete from auth.account where user_id = $1;
