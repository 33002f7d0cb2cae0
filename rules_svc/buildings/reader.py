"""What joined buildings say, kept in memory for seconds: rules are matched more often than houses change their days.

A building that can't be read never fails anybody: the district's days are told, and why. While the database is away
what was read before goes on being told, and nobody waits for it again within a second.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace

import structlog

from mesh import outages
from rules_svc.buildings.codes import canonical
from rules_svc.buildings.store import Building, BuildingStore
from rules_svc.rulebook.buildings import Absence, JoinedBuilding
from rules_svc.rulebook.regions import Regions, ResolvedRegion

_log = structlog.get_logger("buildings")

# How long a change may stay unseen in another process.
_KEPT_SECONDS = 5.0
_MOST_KEPT = 4096
# How long a match waits for the database, and how long nobody asks it again then.
_PATIENCE_SECONDS = 0.5
_PAUSE_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class _Kept:
    building: Building | None
    until: float


class BuildingReader:
    """Reads buildings for those who joined them.

    Args:
        store: Where they are kept.
        clock: Seconds that only grow.
    """

    def __init__(self, store: BuildingStore, clock: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._clock = clock
        self._kept = OrderedDict[str, _Kept]()
        self._reading: dict[str, asyncio.Task[Building | None]] = {}
        self._away_until = 0.0

    async def around(self, said: str, otherwise: ResolvedRegion, regions: Regions) -> ResolvedRegion:
        """The region that counts for somebody who joined a building, with what the building says.

        Args:
            said: The building's code, as they wrote it.
            otherwise: The region that counts if the building isn't known.
            regions: All regions.
        """
        try:
            building = await self._find(canonical(said))
        except Exception as error:
            if outages.from_exception(error) is None:
                raise
            _log.warning("building unreadable", error=repr(error))
            return replace(otherwise, absent=Absence.UNREADABLE)
        if building is None:
            return replace(otherwise, absent=Absence.LOST)
        district = regions.find(building.region)
        if building.says is None:
            return replace(district, absent=Absence.LOST)
        joined = JoinedBuilding(building.code, building.version, building.updated_at, building.says)
        return replace(district, building=joined)

    def forget(self, code: str) -> None:
        """Reads a building anew from now on: it was changed."""
        self._kept.pop(code, None)
        self._reading.pop(code, None)

    async def _find(self, code: str) -> Building | None:
        """The building; as it was a while ago if it can't be read now. Raises what the database does."""
        kept, now = self._kept.get(code), self._clock()
        if kept and now < kept.until:
            return kept.building
        try:
            if now < self._away_until:
                raise TimeoutError("the database was away a moment ago")
            return await asyncio.shield(self._reading.get(code) or self._begin(code))
        except Exception as error:
            if kept is None or outages.from_exception(error) is None:
                raise
            return kept.building

    def _begin(self, code: str) -> asyncio.Task[Building | None]:
        """One reading for all who ask meanwhile. It goes on if they leave."""
        reading = asyncio.create_task(self._read(code), name="building")
        self._reading[code] = reading
        # Its error is told to those who wait; there may be nobody any more.
        reading.add_done_callback(lambda task: task.cancelled() or task.exception())
        return reading

    async def _read(self, code: str) -> Building | None:
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                building = await self._store.get(code)
        except Exception as error:
            if outages.from_exception(error) is not None:
                self._away_until = self._clock() + _PAUSE_SECONDS
            raise
        finally:
            current = self._reading.get(code) is asyncio.current_task()
            if current:
                del self._reading[code]
        if current:  # else it was changed while it was read
            self._kept[code] = _Kept(building, self._clock() + _KEPT_SECONDS)
            self._kept.move_to_end(code)
            if len(self._kept) > _MOST_KEPT:
                self._kept.popitem(last=False)
        return building
