-- The nearest places, nearest first, exact.
-- $1 longitude, $2 latitude, $3 materials ('' for any), $4 radius in metres, $5 limit
--
-- Each material is searched on its own map sheet. The index orders by degrees, where a degree of longitude counts as much
-- as one of latitude although it is shorter. So its $5 nearest may not be the true ones, but no true one can be farther
-- away than the farthest of them: that distance bounds the second search, which is exact. A place that takes two of the
-- materials has two spots.
with asked as (
    select point($1::float8, $2::float8) as here
), wanted as materialized (
    select point(10000 * sheet.number, 0) as sheet
    from rules.sheet as sheet
    where sheet.material = any($3::text[])
), guess as materialized (
    select distinct on (meters, place_id) meters
    from wanted
    cross join lateral (
        select spot.place_id, rules.great_circle_meters(spot.location, point($1, $2)) as meters
        from rules.spot as spot
        where spot.at <@ (rules.box_around(point($1, $2), $4::float8) + wanted.sheet)
        order by spot.at <-> (point($1, $2) + wanted.sheet)
        limit $5
    ) as near
    order by meters, place_id
    limit $5
), reach as materialized (
    select case when count(*) = $5 then least($4, max(meters)) else $4 end as meters
    from guess
), nearest as (
    select distinct spot.place_id, rules.great_circle_meters(spot.location, asked.here) as distance_meters
    from asked
    cross join reach
    cross join wanted
    join rules.spot as spot on spot.at <@ (rules.box_around(asked.here, reach.meters) + wanted.sheet)
    where rules.great_circle_meters(spot.location, asked.here) <= reach.meters
    order by distance_meters, place_id
    limit $5
)
select place.*, nearest.distance_meters
from nearest
join rules.place as place using (place_id)
order by nearest.distance_meters, place.place_id;
