-- The caller's account, kept from being changed meanwhile; a new one if the caller has none.
-- $1 the caller, $2 the new account's id
with caller as (
    select user_id from auth.account where user_id = $1 for update
), made as (
    insert into auth.account (user_id) select $2 where not exists (select from caller) returning user_id
)
select user_id from caller union all select user_id from made;
