"""Places near somebody, from our own store and, where there is one, an outside map."""

import asyncio
from collections.abc import Sequence
from typing import Protocol

from rules_svc.places.places import Location, NearbyPlace, merged
from rules_svc.places.store import PlaceStore


class OutsidePlaces(Protocol):
    """An outside map. It never fails: when it can't answer it returns no places."""

    async def nearest(
        self, location: Location, materials: Sequence[str], radius_meters: float
    ) -> Sequence[NearbyPlace]:
        """Places that take one of the materials (of any, if empty), in any order."""
        ...


class PlaceFinder:
    """Asks every source at once.

    Args:
        store: Our own places.
        outside: An outside map; None if no key is set.
    """

    def __init__(self, store: PlaceStore, outside: OutsidePlaces | None = None) -> None:
        self._store = store
        self._outside = outside

    async def nearest(
        self, location: Location, materials: Sequence[str], radius_meters: float, limit: int
    ) -> list[NearbyPlace]:
        """The nearest places, nearest first; of two of one kind within 50 m our own.

        Args:
            location: The user's location.
            materials: Categories it must take, any one of them; all places when empty.
            radius_meters: How far they may be, great-circle.
            limit: How many at most.
        """
        if self._outside is None:
            return await self._store.nearest(location, materials, radius_meters, limit)
        ours, theirs = await asyncio.gather(
            self._store.nearest(location, materials, radius_meters, limit),
            self._outside.nearest(location, materials, radius_meters),
        )
        return merged(ours, theirs, limit)
