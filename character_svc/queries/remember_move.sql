-- From now on what the former owner's scans earn is the new one's. Older moves are forgotten.
-- $1 from_user, $2 to_user
with forgotten as (
    delete from character.moved_user where moved_at < now() - interval '1 day' and from_user <> $1
)
insert into character.moved_user as moved (from_user, to_user) values ($1, $2)
on conflict (from_user) do update set to_user = excluded.to_user, moved_at = now();
