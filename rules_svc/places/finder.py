"""Places near somebody, from our own store and, where there is one, an outside map."""

import asyncio
from collections.abc import Sequence
from typing import Protocol

from rules_svc.places.places import Location, NearbyPlace, merged
from rules_svc.places.store import PlaceStore


class OutsidePlaces(Protocol):
    """A map of somebody else's. It never fails: what it can't tell it leaves out."""

    async def nearest(
        self, location: Location, materials: Sequence[str], radius_meters: float
    ) -> Sequence[NearbyPlace]:
        """Places that take one of the materials (of any, if empty), in any order."""
        ...


class PlaceFinder:
    """Asks every source at once.

    Args:
        store: Our own places.
        outside: Somebody else's; None if there is no key for it.
    """

    def __init__(self, store: PlaceStore, outside: OutsidePlaces | None = None) -> None:
        self._store = store
        self._outside = outside

    async def nearest(
        self, location: Location, materials: Sequence[str], radius_meters: float, limit: int
    ) -> list[NearbyPlace]:
        """The nearest places, nearest first; of two of a kind within 50 m our own.

        Args:
            location: Where somebody is.
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
