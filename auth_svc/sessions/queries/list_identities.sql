-- Who a user is at providers, the first one first.
-- $1 user_id
select provider, name, created_at from auth.identity where user_id = $1 order by created_at, provider;
