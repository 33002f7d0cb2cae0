"""Places in PostgreSQL."""

import asyncio
import random
from dataclasses import replace

import asyncpg
import pytest

from mesh import postgres
from mesh.locale import Text
from rules_svc.places.places import Location, PlaceKind
from rules_svc.places.samples import sample_places
from rules_svc.places.store import PlaceStore

SAMPLES = list(sample_places())
CITY_HALL = Location(37.5663, 126.9779)
EVERYWHERE = 20_000_000.0

_SCATTER = """
insert into rules.place (place_id, kind, name_ko, name_en, address_ko, address_en, location, materials,
                         opening_hours_ko, opening_hours_en, is_sample)
select 'p' || i, 'battery_box', '', '', '', '', point(126 + random() * 3.5, 33 + random() * 5.5),
       array[(array['전지', '종이', '유리병'])[1 + floor(random() * 3)::int]], '', '', false
from generate_series(1, $1) as i
"""
# Every place is looked at. Those whose degrees alone say that they are out of reach are spared the great circle: a
# degree is at least 100 km to the north and, this far south, 70 km to the east.
_BRUTE_FORCE = """
with near as materialized (
    select place_id, materials, location from rules.place
    where abs(location[0] - $1) <= $4::float8 / 70000 and abs(location[1] - $2) <= $4::float8 / 100000
)
select place_id from near
where ($3::text[] is null or materials && $3) and rules.great_circle_meters(location, point($1, $2)) <= $4
order by rules.great_circle_meters(location, point($1, $2)), place_id
limit $5
"""


async def add(connection: asyncpg.Connection, place_id: str, longitude: float, latitude: float) -> None:
    await connection.execute(
        "insert into rules.place (place_id, kind, name_ko, name_en, address_ko, address_en, location, materials,"
        " opening_hours_ko, opening_hours_en, is_sample)"
        " values ($1, 'battery_box', '', '', '', '', $2, array['전지'], '', '', false)",
        place_id,
        asyncpg.Point(longitude, latitude),
    )


async def test_what_is_stored_comes_back_whole(store: PlaceStore) -> None:
    """No field is lost or swapped on the way, least of all longitude and latitude."""
    await store.keep_samples(SAMPLES)
    found = await store.nearest(CITY_HALL, (), EVERYWHERE, 50)
    assert sorted((one.place for one in found), key=lambda place: place.place_id) == SAMPLES


async def test_the_samples_are_kept_whatever_came_before(store: PlaceStore, connection: asyncpg.Connection) -> None:
    """Twice is once; what changed is corrected, what is gone removed, what is real never touched."""
    await add(connection, "real", 127.0, 37.5)
    await store.keep_samples([replace(SAMPLES[0], name=Text("옛 견본", "Old sample")), *SAMPLES[1:]])
    written = await connection.fetchval("select max(xmin::text::bigint) from rules.place")
    await store.keep_samples(SAMPLES[:-1])
    await store.keep_samples(SAMPLES[:-1])
    rows = {row["place_id"]: row for row in await connection.fetch("select *, xmin::text::bigint from rules.place")}
    assert rows.keys() == {"real", *(place.place_id for place in SAMPLES[:-1])}
    assert rows[SAMPLES[0].place_id]["name_ko"] == SAMPLES[0].name.ko
    rewritten = [key for key, row in rows.items() if row["xmin"] > written]
    assert rewritten == [SAMPLES[0].place_id]
    await store.keep_samples([])
    assert [row["place_id"] for row in await connection.fetch("select place_id from rules.place")] == ["real"]


async def test_two_processes_may_start_at_once(store: PlaceStore) -> None:
    """Replicas start together; none may fail, none may double a place."""
    await asyncio.gather(*(store.keep_samples(reversed(SAMPLES)) for _ in range(4)))
    assert len(await store.nearest(CITY_HALL, (), EVERYWHERE, 50)) == len(SAMPLES)


async def test_a_degree_of_longitude_is_shorter_than_one_of_latitude(
    store: PlaceStore, connection: asyncpg.Connection
) -> None:
    """In Seoul 0.011° to the east is nearer than 0.010° to the north, though the index orders them otherwise."""
    await add(connection, "north", CITY_HALL.longitude, CITY_HALL.latitude + 0.010)
    await add(connection, "east", CITY_HALL.longitude + 0.011, CITY_HALL.latitude)
    (nearest,) = await store.nearest(CITY_HALL, (), 3000, 1)
    assert nearest.place.place_id == "east"
    assert nearest.distance_meters == pytest.approx(969, abs=2)


async def test_the_search_is_exact(store: PlaceStore, connection: asyncpg.Connection) -> None:
    """Among 20,000 scattered places it finds what looking at every one of them finds."""
    await connection.execute(_SCATTER, 20_000)
    dice = random.Random(7)
    for _ in range(60):
        here = Location(dice.uniform(33, 38.5), dice.uniform(126, 129.5))
        materials = dice.choice([(), ("전지",), ("전지", "종이")])
        radius, limit = dice.choice([500.0, 3000.0, 50_000.0]), dice.choice([1, 5, 50])
        expected = await connection.fetch(
            _BRUTE_FORCE, here.longitude, here.latitude, list(materials) or None, radius, limit
        )
        found = await store.nearest(here, materials, radius, limit)
        assert [one.place.place_id for one in found] == [row["place_id"] for row in expected]


async def test_the_search_uses_the_index(connection: asyncpg.Connection) -> None:
    """A table scan for every scan with a location would be felt at a million places."""
    await connection.execute(_SCATTER, 20_000)
    await connection.execute("analyze")
    query = postgres.Queries("rules_svc.places")["nearest_places"]
    rows = await connection.fetch(f"explain {query}", 127.0, 37.5, ["전지"], 3000.0, 5)
    plan = "\n".join(row[0] for row in rows)
    assert plan.count("spot_at") == 2
    assert "Order By: (at <->" in plan
    assert "Seq Scan on spot" not in plan


@pytest.mark.parametrize("here", [Location(90, 0), Location(-90, 180), Location(0, -180)])
async def test_the_ends_of_the_earth_can_be_asked_for(store: PlaceStore, here: Location) -> None:
    """Nobody lives there, but the contract allows it."""
    await store.keep_samples(SAMPLES)
    assert await store.nearest(here, (), 50_000, 5) == []


async def test_only_places_that_take_one_of_the_materials_are_found(store: PlaceStore) -> None:
    """A battery isn't taken to the clothing bin."""
    await store.keep_samples(SAMPLES)
    found = await store.nearest(CITY_HALL, ("전지", "조명제품"), EVERYWHERE, 50)
    assert {one.place.kind for one in found} == {PlaceKind.BATTERY_BOX, PlaceKind.LAMP_BOX, PlaceKind.RECYCLING_CENTRE}
    assert [one.distance_meters for one in found] == sorted(one.distance_meters for one in found)
