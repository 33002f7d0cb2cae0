-- The next refresh token in the place of the current one; no row unless $2 is the current one's.
-- $1 session_id, $2 digest, $3 the next one's digest, $4 how long a refresh token is good
update auth.session as session
set digest = $3, previous_digest = digest, rotated_at = now(), expires_at = least(now() + $4::interval, ends_at)
where session_id = $1 and digest = $2 and expires_at > now()
returning
    user_id,
    not exists (select from auth.identity where identity.user_id = session.user_id) as guest,
    expires_at;
