-- The nearest places, nearest first, exact.
-- $1 longitude, $2 latitude, $3 materials (null: any), $4 radius in metres, $5 limit
--
-- The index orders by degrees, where a degree of longitude counts as much as one of latitude although it is shorter.
-- So its $5 nearest may not be the true ones, but no true one can be farther away than the farthest of them: that
-- distance bounds the second search, which is exact.
with asked as (
    select point($1::float8, $2::float8) as here
), guess as materialized (
    select rules.great_circle_meters(place.location, point($1, $2)) as meters
    from rules.place as place
    where place.location <@ rules.box_around(point($1, $2), $4::float8)
        and ($3::text[] is null or place.materials && $3)
    order by place.location <-> point($1, $2)
    limit $5
), reach as materialized (
    select case when count(*) = $5 then least($4, max(meters)) else $4 end as meters
    from guess
)
select
    place.*,
    rules.great_circle_meters(place.location, asked.here) as distance_meters
from asked
cross join reach
join rules.place as place on place.location <@ rules.box_around(asked.here, reach.meters)
where ($3 is null or place.materials && $3)
    and rules.great_circle_meters(place.location, asked.here) <= reach.meters
order by distance_meters, place.place_id
limit $5;
