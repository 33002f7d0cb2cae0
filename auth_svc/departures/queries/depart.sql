-- Somebody's data is to be erased. Another time it begins anew, but not for a guest who has become somebody else.
-- $1 user_id
insert into auth.departure as departure (user_id) values ($1)
on conflict (user_id) do update
set run_at = least(departure.run_at, now()),
    left_at = case when departure.to_user is null then now() else departure.left_at end
returning left_at;
