"""What managers do with their buildings: create, read, change, delete."""

from collections.abc import Callable

from mesh.errors import Aborted, EcoError, NotFound, PermissionDenied, ResourceExhausted
from mesh.reasons import Reason
from rules_svc.buildings.codes import new_code
from rules_svc.buildings.store import Building, BuildingStore
from rules_svc.rulebook.buildings import HouseRules

_MOST = 10
_MOST_A_DAY = 20
# A new code was given before once in 6.6e11 / (buildings there are) times.
_DRAWS = 3


class Buildings:
    """The buildings: whoever knows a code reads one, its manager alone changes it.

    Args:
        store: Where they are kept.
        changed: Called with the code of a building that was changed.
        draw: Draws a new code.
    """

    def __init__(
        self, store: BuildingStore, changed: Callable[[str], None], draw: Callable[[], str] = new_code
    ) -> None:
        self._store = store
        self._changed = changed
        self._draw = draw

    async def create(self, manager: str, region: str, says: HouseRules) -> Building:
        """Creates a building.

        Args:
            manager: Who creates it.
            region: The code of its district.
            says: What it says.

        Raises:
            ResourceExhausted: The manager has as many as they may, or has created as many as they may in a day.
        """
        for _ in range(_DRAWS):
            code = self._draw()
            made = await self._store.create(code, manager, region, says, most=_MOST, most_today=_MOST_A_DAY)
            if isinstance(made, Building):
                # Somebody may have asked for the code before it was given.
                self._changed(code)
                return made
            if made and made.kept >= _MOST:
                raise ResourceExhausted(Reason.BUILDING_LIMIT, limit="buildings", most=_MOST)
            if made:
                raise ResourceExhausted(
                    Reason.BUILDING_LIMIT, limit="creations", most=_MOST_A_DAY, retry_after=made.seconds
                )
        raise AssertionError(f"{_DRAWS} new codes had all been given before")

    async def get(self, code: str) -> Building:
        """The building with a code.

        Raises:
            NotFound: There is none, or it was deleted.
        """
        building = await self._store.get(code)
        if building is None or building.says is None:
            raise NotFound(Reason.BUILDING_UNKNOWN, code=code)
        return building

    async def managed_by(self, manager: str) -> list[Building]:
        """Somebody's buildings, oldest first."""
        return await self._store.managed_by(manager)

    async def update(self, code: str, manager: str, version: int, region: str, says: HouseRules) -> Building:
        """Replaces what a building says.

        Args:
            code: Which.
            manager: Who does it.
            version: The one that they have read; -1 if none.
            region: The code of its district.
            says: What it says from now on.

        Raises:
            NotFound: There is no such building.
            PermissionDenied: It is somebody else's.
            Aborted: It was changed since.
        """
        updated = await self._store.update(code, manager, version, region, says)
        if updated is None:
            raise await self._refusal(code, manager)
        self._changed(code)
        return updated

    async def delete(self, code: str, manager: str, version: int | None) -> None:
        """Deletes a building, of any version if None. Raises as `update` does."""
        if not await self._store.delete(code, manager, version):
            raise await self._refusal(code, manager)
        self._changed(code)

    async def transfer(self, manager: str, to: str) -> None:
        """Gives somebody's buildings to another manager; nobody who joined one notices."""
        await self._store.transfer(manager, to)

    async def erase(self, manager: str) -> None:
        """Deletes somebody's buildings, as the manager could, and forgets who that was."""
        for code in await self._store.erase(manager):
            self._changed(code)

    async def _refusal(self, code: str, manager: str) -> EcoError:
        """Why a building couldn't be changed."""
        try:
            building = await self.get(code)
        except NotFound as error:
            return error
        if building.manager != manager:
            return PermissionDenied(Reason.BUILDING_NOT_YOURS, code=code)
        return Aborted(Reason.BUILDING_CHANGED, code=code)
