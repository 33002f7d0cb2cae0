-- Waits for an identity that is being given to the account: the next statement sees it.
-- $1 user_id
select user_id from auth.account where user_id = $1 for update;
