-- A new building; no row if its code was given before.
insert into rules.building (code, manager, region, says)
values ($1, $2, $3, $4::jsonb)
on conflict do nothing
returning code, manager, region, says::text, version, updated_at
