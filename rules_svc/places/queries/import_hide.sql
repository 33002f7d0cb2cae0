-- Hides places that another source has within 50 m, of the same kind: who came first is shown.
-- $1 source, $2 ids of places of any source to look at as well
with doubles as (
    select distinct on (place.place_id) place.place_id, other.place_id as shown
    from rules.place as place
    join rules.place as other
        on other.location <@ rules.box_around(place.location, 50)
        and other.kind = place.kind
        and other.source <> place.source
        and rules.great_circle_meters(other.location, place.location) <= 50
    where (place.source = $1 or place.place_id = any($2::text[]))
        and place.retired_at is null
        and place.duplicate_of is null
        and not place.is_sample
        and other.retired_at is null
        and other.duplicate_of is null
        and not other.is_sample
        -- of two that are both looked at, one stays
        and not (other.place_id = any($2) and other.place_id > place.place_id)
    order by place.place_id, rules.great_circle_meters(other.location, place.location), other.place_id
)
update rules.place as place
set duplicate_of = doubles.shown
from doubles
where place.place_id = doubles.place_id;
