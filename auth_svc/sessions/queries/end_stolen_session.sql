-- Ends a session of whose tokens one was used before. Not one that has only expired: $2 is its current token's then.
-- $1 session_id, $2 digest
delete from auth.session where session_id = $1 and digest <> $2 returning true;
