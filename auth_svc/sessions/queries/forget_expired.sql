-- Sessions without a token that is good.
delete from auth.session where expires_at < now();
