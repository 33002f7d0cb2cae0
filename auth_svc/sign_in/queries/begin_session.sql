-- $1 session_id, $2 user_id, $3 digest, $4 how long a refresh token is good, $5 how long a session lasts
insert into auth.session (session_id, user_id, digest, expires_at, ends_at)
values ($1, $2, $3, now() + least($4::interval, $5::interval), now() + $5::interval)
returning expires_at;
