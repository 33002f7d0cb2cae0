-- An account with its first session, both or neither.
-- $1 user_id, $2 session_id, $3 digest, $4 how long a refresh token is good, $5 how long a session lasts
with account as (
    insert into auth.account (user_id) values ($1) returning user_id
)
insert into auth.session (session_id, user_id, digest, expires_at, ends_at)
select $2, user_id, $3, now() + least($4::interval, $5::interval), now() + $5::interval
from account
returning expires_at;
