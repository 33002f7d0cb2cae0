-- A guest has become a user who had an account already: the guest's account ends, with its sessions, and its data follows.
-- No row unless $1 is a guest's. It isn't due at once: whoever signs in begins with it.
-- $1 the guest, $2 the user
with guest as (
    delete from auth.account as account
    where user_id = $1 and not exists (select from auth.identity where identity.user_id = account.user_id)
    returning user_id
)
insert into auth.departure (user_id, to_user, run_at)
select user_id, $2, now() + interval '5 seconds' from guest
on conflict (user_id) do nothing
returning user_id;
