-- Places of several sources, and an index that searches by material.
create extension if not exists btree_gist;

alter table rules.place
    -- "sample", or the name of an imported data set
    add column source text not null default 'sample',
    -- opening hours in the subset of OpenStreetMap's notation that rules_svc/places/opening_hours.py reads; empty: unknown
    add column hours text not null default '',
    add column phone text not null default '',
    -- gone from its source; kept, so that an id never means another place
    add column retired_at timestamptz,
    -- the place of another source, of the same kind and within 50 m, that is shown instead
    add column duplicate_of text;

create index place_source on rules.place (source);
create index place_duplicate on rules.place (duplicate_of) where duplicate_of is not null;

-- What the search looks at: a row for each material that a visible place takes, and one with '' for any.
create table rules.spot (
    material text not null,
    location point not null,
    place_id text not null,
    primary key (place_id, material)
);

-- Nearest first within one material: a rare one costs no more than a common one. Measured: docs/adr/0019.
create index spot_location on rules.spot using gist (material, location);

-- Keeps rules.spot true, whoever writes rules.place, a release that doesn't know it included.
create function rules.keep_spots() returns trigger language plpgsql as $$
begin
    if tg_op <> 'INSERT' then
        delete from rules.spot as spot using gone where spot.place_id = gone.place_id;
    end if;
    if tg_op <> 'DELETE' then
        insert into rules.spot (material, location, place_id)
        select distinct on (come.place_id, material) material, come.location, come.place_id
        from come
        cross join lateral unnest(array_append(come.materials, '')) as material
        where come.retired_at is null and come.duplicate_of is null;
    end if;
    return null;
end;
$$;

create trigger place_inserted after insert on rules.place
    referencing new table as come for each statement execute function rules.keep_spots();
create trigger place_updated after update on rules.place
    referencing old table as gone new table as come for each statement execute function rules.keep_spots();
create trigger place_deleted after delete on rules.place
    referencing old table as gone for each statement execute function rules.keep_spots();

insert into rules.spot (material, location, place_id)
select distinct on (place.place_id, material) material, place.location, place.place_id
from rules.place as place
cross join lateral unnest(array_append(place.materials, '')) as material;
