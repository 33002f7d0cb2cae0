-- Makes the sample places exactly those given. A row that is already right isn't written again.
-- $1 rows of rules.place
with given as (
    select * from unnest($1::rules.place[])
), removed as (
    delete from rules.place
    where is_sample and place_id not in (select place_id from given)
)
insert into rules.place as place
select * from given
on conflict (place_id) do update
set
    kind = excluded.kind,
    name_ko = excluded.name_ko,
    name_en = excluded.name_en,
    address_ko = excluded.address_ko,
    address_en = excluded.address_en,
    location = excluded.location,
    materials = excluded.materials,
    opening_hours_ko = excluded.opening_hours_ko,
    opening_hours_en = excluded.opening_hours_en,
    hours = excluded.hours
where place.is_sample
    and row(place.kind, place.name_ko, place.name_en, place.address_ko, place.address_en, place.location::text,
            place.materials, place.opening_hours_ko, place.opening_hours_en, place.hours)
    is distinct from row(excluded.kind, excluded.name_ko, excluded.name_en, excluded.address_ko, excluded.address_en,
            excluded.location::text, excluded.materials, excluded.opening_hours_ko, excluded.opening_hours_en,
            excluded.hours);
