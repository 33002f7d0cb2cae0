"""Made-up places: two hundred towns, dense in the middle, with one material in five thousand rare."""

import random
from collections.abc import Iterator
from pathlib import Path

import asyncpg

from rules_svc.places.places import Location

TOWNS = 200
_RARE_EVERY = 5000

_SCATTER = f"""
insert into rules.place (place_id, kind, name_ko, name_en, address_ko, address_en, location, materials,
                         opening_hours_ko, opening_hours_en, is_sample, source)
select 'bench:' || i, 'battery_box', '수거함 ' || i, 'Box ' || i, '주소 ' || i, '주소 ' || i,
       point(town.x + (random() + random() + random() - 1.5) * 0.08, town.y + (random() + random() + random() - 1.5) * 0.06),
       case when i % {_RARE_EVERY} = 0 then array['대형폐기물']
            else array[(array['전지', '종이', '유리병', '의류및원단', '금속류'])[1 + floor(random() * 5)::int]] end,
       '', '', false, 'bench'
from generate_series($1::int, $2::int) as i
join unnest($3::int[], $4::float8[], $5::float8[]) as town (n, x, y) on town.n = (i * 7919::bigint) % {TOWNS}
"""  # noqa: E501

_dice = random.Random(11)
_CENTRES = [(126 + _dice.random() * 3.3, 34.3 + _dice.random() * 3.9) for _ in range(TOWNS)]


async def fill(connection: asyncpg.Connection, count: int) -> None:
    """Puts so many places into the database, with the indexes they will be searched by."""
    xs, ys = zip(*_CENTRES, strict=True)
    step = 100_000
    for first in range(1, count + 1, step):
        await connection.execute(_SCATTER, first, min(first + step - 1, count), list(range(TOWNS)), xs, ys, timeout=600)
    await connection.execute("vacuum analyze", timeout=600)


def somewhere(dice: random.Random) -> Location:
    """Where somebody in a town is."""
    x, y = dice.choice(_CENTRES)
    return Location(y + dice.uniform(-0.05, 0.05), x + dice.uniform(-0.05, 0.05))


def at_sea(dice: random.Random) -> Location:
    """Far from any place."""
    return Location(33 + dice.uniform(-0.3, 0.3), 124.5 + dice.uniform(-0.3, 0.3))


def write_csv(file: Path, rows: int, bad_every: int = 100) -> None:
    """A data set of clothing bins, one row in a hundred bad, about 2 % doubles."""
    with file.open("w", encoding="cp949", newline="") as out:
        out.write("관리번호,설치장소,도로명주소,위도,경도,관리기관전화번호\r\n")
        out.writelines(_lines(rows, bad_every))


def _lines(rows: int, bad_every: int) -> Iterator[str]:
    dice = random.Random(5)
    for number in range(rows):
        x, y = dice.uniform(126.2, 129.4), dice.uniform(34.4, 38.2)
        latitude = "" if number % bad_every == 0 else f"{y:.6f}"
        yield f"B{number:06},역 앞 {number},서울특별시 어느구 어느로 {number},{latitude},{x:.6f},02-123-4567\r\n"
        # every fiftieth has a double a few steps away
        if number % 50 == 1:
            yield f"D{number:06},역 앞 {number},서울특별시 어느구 어느로 {number},{y + 0.0001:.6f},{x:.6f},\r\n"
