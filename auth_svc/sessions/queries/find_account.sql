-- $1 user_id
select
    user_id,
    created_at,
    (select count(*) from auth.session where session.user_id = account.user_id and expires_at > now()) as session_count
from auth.account as account
where user_id = $1;
