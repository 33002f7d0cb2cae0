-- Writes what is given; a row that is already right isn't written again.
-- $1 source
with written as (
    insert into rules.place as place (
        place_id, kind, name_ko, name_en, address_ko, address_en, location, materials,
        opening_hours_ko, opening_hours_en, is_sample, source, hours, phone
    )
    select
        place_id, kind, name_ko, name_en, address, address, location, materials,
        opening_hours_ko, opening_hours_en, false, $1, hours, phone
    from given
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
        hours = excluded.hours,
        phone = excluded.phone,
        retired_at = null,
        duplicate_of = null
    where place.retired_at is not null
        or row(place.kind, place.name_ko, place.name_en, place.address_ko, place.location::text, place.materials,
               place.opening_hours_ko, place.opening_hours_en, place.hours, place.phone)
        is distinct from row(excluded.kind, excluded.name_ko, excluded.name_en, excluded.address_ko,
               excluded.location::text, excluded.materials, excluded.opening_hours_ko, excluded.opening_hours_en,
               excluded.hours, excluded.phone)
    -- a row that nobody had before has no earlier writer
    returning xmax = 0 as is_new
)
select count(*) filter (where is_new) as inserted, count(*) filter (where not is_new) as updated
from written;
