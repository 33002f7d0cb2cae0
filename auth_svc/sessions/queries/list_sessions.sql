-- A user's open sessions, the first one first, without what would let somebody in.
-- $1 user_id
select created_at, rotated_at, expires_at from auth.session where user_id = $1 and expires_at > now() order by created_at;
