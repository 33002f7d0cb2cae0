-- Places that take waste.
create table rules.place (
    place_id text primary key,
    kind text not null,
    name_ko text not null,
    name_en text not null,
    address_ko text not null,
    address_en text not null,
    -- (longitude, latitude) in degrees, WGS 84
    location point not null,
    -- middle (or major) categories
    materials text[] not null,
    opening_hours_ko text not null,
    opening_hours_en text not null,
    is_sample boolean not null,
    check (location[0] between -180 and 180 and location[1] between -90 and 90)
);

-- Serves both questions the search asks: which are nearest, and which lie in a box.
create index place_location on rules.place using gist (location);

-- Distance between two points on a sphere of the earth's mean radius, by the haversine formula. Off by at most 0.5 %.
create function rules.great_circle_meters(a point, b point) returns double precision
    language sql immutable strict parallel safe
    return 2 * 6371008.8 * asin(least(1, sqrt(
        power(sind((b[1] - a[1]) / 2), 2)
        + cosd(a[1]) * cosd(b[1]) * power(sind((b[0] - a[0]) / 2), 2)
    )));

-- A box of degrees that holds every point within so many metres, with 1 % to spare. It doesn't reach across the 180th
-- meridian.
create function rules.box_around(centre point, meters double precision) returns box
    language sql immutable strict parallel safe
    return box(
        point(
            centre[0] - meters * 1.01 / (111195 * greatest(cosd(centre[1]), 0.001)),
            centre[1] - meters * 1.01 / 111195
        ),
        point(
            centre[0] + meters * 1.01 / (111195 * greatest(cosd(centre[1]), 0.001)),
            centre[1] + meters * 1.01 / 111195
        )
    );
