-- Each material on a map sheet of its own, so that one plain index of points searches a single material.
--
-- An index on (material, location) does so only while it is freshly built: rows inserted later end up on pages that mix
-- materials, and a rare one is then looked for on many of them. Measured: docs/adr/0019.
create table rules.sheet (
    number integer generated always as identity primary key,
    material text not null unique
);

-- The location, moved east by 10,000 degrees a sheet: farther than any search reaches.
alter table rules.spot add column at point;
create index spot_at on rules.spot using gist (at);

-- Unused since 0.1: no release searched by it.
drop index rules.spot_location;

create or replace function rules.keep_spots() returns trigger language plpgsql as $$
begin
    if tg_op <> 'INSERT' then
        delete from rules.spot as spot using gone where spot.place_id = gone.place_id;
    end if;
    if tg_op <> 'DELETE' then
        insert into rules.sheet (material)
        select material
        from come
        cross join lateral unnest(array_append(come.materials, '')) as material
        except
        select material from rules.sheet
        on conflict (material) do nothing;

        insert into rules.spot (material, location, place_id, at)
        select distinct on (come.place_id, material)
            material,
            come.location,
            come.place_id,
            come.location + point(10000 * sheet.number, 0)
        from come
        cross join lateral unnest(array_append(come.materials, '')) as material
        join rules.sheet as sheet using (material)
        where come.retired_at is null and come.duplicate_of is null;
    end if;
    return null;
end;
$$;

insert into rules.sheet (material) select distinct material from rules.spot;
update rules.spot as spot
set at = spot.location + point(10000 * sheet.number, 0)
from rules.sheet as sheet
where sheet.material = spot.material;
