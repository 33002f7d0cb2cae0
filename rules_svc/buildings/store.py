"""Buildings in PostgreSQL."""

from dataclasses import dataclass
from datetime import datetime

import asyncpg
import msgspec

from mesh.postgres import Queries
from rules_svc.rulebook.buildings import HouseRules


@dataclass(frozen=True, slots=True)
class Building:
    """A building as it is at one version.

    Attributes:
        code: Its code.
        manager: Who may change it. Never to be told.
        region: The code of its district.
        says: What its manager says; None once it is deleted.
        version: Grows with every change.
        updated_at: When it was last changed.
    """

    code: str
    manager: str
    region: str
    says: HouseRules | None
    version: int
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Creations:
    """How much somebody has created.

    Attributes:
        kept: Buildings that they have.
        today: Buildings that they have created within a day, deleted ones included.
        seconds: Until that is one less.
    """

    kept: int
    today: int
    seconds: float


class BuildingStore:
    """The buildings of all managers.

    Args:
        pool: Connections.
    """

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._sql = Queries("rules_svc.buildings")

    async def get(self, code: str) -> Building | None:
        """The building with a code, deleted or not; None if there never was one."""
        row = await self._pool.fetchrow(self._sql["get_building"], code)
        return _building(row) if row else None

    async def managed_by(self, manager: str) -> list[Building]:
        """Somebody's buildings, oldest first."""
        return [_building(row) for row in await self._pool.fetch(self._sql["list_buildings"], manager)]

    async def create(
        self, code: str, manager: str, region: str, says: HouseRules, *, most: int, most_today: int
    ) -> Building | Creations | None:
        """Stores a new building. In one transaction, so that concurrent calls can't exceed the limits together.

        Args:
            code: Its code.
            manager: Who creates it.
            region: The code of its district.
            says: What it says.
            most: Buildings that one may have.
            most_today: Buildings that one may create within a day.

        Returns:
            The building; None if its code was given before; what the manager has created, if that is too much.
        """
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute(self._sql["lock_manager"], manager)
            await connection.execute(self._sql["forget_managers"])
            [counted] = await connection.fetch(self._sql["count_buildings"], manager)
            created = Creations(**counted)
            if created.kept >= most or created.today >= most_today:
                return created
            row = await connection.fetchrow(self._sql["create_building"], code, manager, region, _json(says))
            return _building(row) if row else None

    async def update(self, code: str, manager: str, version: int, region: str, says: HouseRules) -> Building | None:
        """Replaces what a building says; None if it isn't the manager's, or has another version."""
        row = await self._pool.fetchrow(self._sql["update_building"], code, manager, version, region, _json(says))
        return _building(row) if row else None

    async def delete(self, code: str, manager: str, version: int | None) -> bool:
        """Deletes a building, of any version if None; False if it isn't the manager's, or has another version."""
        return await self._pool.fetchval(self._sql["delete_building"], code, manager, version) is not None

    async def transfer(self, manager: str, to: str) -> None:
        """Gives somebody's buildings to another manager."""
        await self._pool.execute(self._sql["transfer_buildings"], manager, to)

    async def erase(self, manager: str) -> list[str]:
        """Deletes somebody's buildings and forgets who managed them; returns their codes."""
        return [row["code"] for row in await self._pool.fetch(self._sql["erase_buildings"], manager)]


def _json(says: HouseRules) -> str:
    return msgspec.json.encode(says).decode()


def _building(row: asyncpg.Record) -> Building:
    says = msgspec.json.decode(row["says"], type=HouseRules) if row["says"] else None
    return Building(row["code"], row["manager"], row["region"], says, row["version"], row["updated_at"])
