"""Places in PostgreSQL.

The rule book lives in memory; only places need the database. Every method is one statement, so one transaction.
"""

from collections.abc import Iterable, Sequence

import asyncpg

from mesh.locale import Text
from mesh.postgres import Queries
from mesh.replica import PrimaryReads, Reads
from rules_svc.places.places import Location, NearbyPlace, Place, PlaceKind

# The material under which every place can be found.
_ANY = ""


class PlaceStore:
    """Places by where they are.

    Args:
        pool: Connections to the database.
        reads: Where places are searched, which may be late; by default there.
    """

    def __init__(self, pool: asyncpg.Pool, reads: Reads | None = None) -> None:
        self._pool = pool
        self._reads = reads or PrimaryReads(pool)
        self._sql = Queries("rules_svc.places")

    async def nearest(
        self, location: Location, materials: Sequence[str], radius_meters: float, limit: int
    ) -> list[NearbyPlace]:
        """The places nearest to a location, nearest first.

        Args:
            location: The user's location.
            materials: Categories it must take, any one of them; all places when empty.
            radius_meters: How far they may be, great-circle.
            limit: How many at most.
        """
        query, wanted = self._sql["nearest_places"], list(materials) or [_ANY]
        where = (location.longitude, location.latitude)
        rows = await self._reads.read(lambda pool: pool.fetch(query, *where, wanted, radius_meters, limit))
        return [NearbyPlace(_place(row), row["distance_meters"]) for row in rows]

    async def keep_samples(self, places: Iterable[Place]) -> None:
        """Makes the invented places exactly these: adds, corrects and removes; real ones aren't touched.

        Idempotent, also in two processes at once.
        """
        # One order in every process, so that two which write the same rows can't deadlock.
        rows = [_row(place) for place in sorted(places, key=lambda place: place.place_id)]
        await self._pool.execute(self._sql["keep_sample_places"], rows)


def _place(row: asyncpg.Record) -> Place:
    return Place(
        place_id=row["place_id"],
        kind=PlaceKind(row["kind"]),
        name=Text(row["name_ko"], row["name_en"]),
        address=Text(row["address_ko"], row["address_en"]),
        location=Location(latitude=row["location"].y, longitude=row["location"].x),
        materials=tuple(row["materials"]),
        opening_hours=Text(row["opening_hours_ko"], row["opening_hours_en"]),
        is_sample=row["is_sample"],
        source=row["source"],
        hours=row["hours"],
        phone=row["phone"],
    )


def _row(place: Place) -> tuple[object, ...]:
    """The place as a row of rules.place, in the order of its columns."""
    return (
        place.place_id,
        place.kind,
        place.name.ko,
        place.name.en,
        place.address.ko,
        place.address.en,
        asyncpg.Point(place.location.longitude, place.location.latitude),
        list(place.materials),
        place.opening_hours.ko,
        place.opening_hours.en,
        place.is_sample,
        place.source,
        place.hours,
        place.phone,
        None,  # not retired
        None,  # no duplicate
    )
