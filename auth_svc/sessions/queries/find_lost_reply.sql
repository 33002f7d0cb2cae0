-- The session whose last refresh used this token, a moment ago: its reply may have been lost.
-- $1 session_id, $2 digest, $3 how long a moment is
select
    user_id,
    not exists (select from auth.identity where identity.user_id = session.user_id) as guest,
    digest,
    expires_at
from auth.session as session
where session_id = $1 and previous_digest = $2 and rotated_at > now() - $3::interval and expires_at > now();
