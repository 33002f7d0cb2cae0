-- Gives an identity to a user. No row if it has just become somebody's: waits for that one's commit.
-- $1 provider, $2 subject, $3 name, $4 user_id
insert into auth.identity (provider, subject, name, user_id)
values ($1, $2, $3, $4)
on conflict (provider, subject) do nothing
returning true;
