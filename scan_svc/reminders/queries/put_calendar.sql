-- A user's calendar under a new address; the former one, and its events' ids, are gone.
insert into scan.calendar as c (user_id, digest, region, building, locale)
values ($1, $2, $3, $4, $5)
on conflict (user_id) do update
set id = excluded.id, digest = excluded.digest, region = excluded.region, building = excluded.building,
    locale = excluded.locale, created_at = excluded.created_at
returning id, user_id, region, building, locale, created_at
