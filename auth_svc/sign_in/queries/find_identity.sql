-- Whose identity it is, with the name that it has now.
-- $1 provider, $2 subject, $3 name
update auth.identity set name = $3, signed_in_at = now() where provider = $1 and subject = $2 returning user_id;
