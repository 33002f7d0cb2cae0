"""Imports a data set into PostgreSQL, whole or not at all.

One transaction per import, one import at a time. Rows are streamed into a temporary table, so memory stays
the same however large the file is; there they are merged, compared with what is stored, and only differences written.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import TypeAlias

import asyncpg

from mesh.postgres import Queries
from rules_svc.places.mappings import PlaceRow

# The staged table's columns, `leader` apart.
Row: TypeAlias = tuple[object, ...]
_COLUMNS = (
    *("line", "key", "kind", "name_ko", "name_en", "address", "location", "materials"),
    *("opening_hours_ko", "opening_hours_en", "hours", "phone"),
)
# A source with at most so many places may lose all of them at once: a test set, or a village.
_FEW = 20


class WouldShrink(Exception):
    """The file lacks most of what the source had: a cut download, or another town's under the same name."""

    def __init__(self, live: int, gone: int) -> None:
        self.live = live
        self.gone = gone
        super().__init__(f"{gone} of {live} places would be retired")


@dataclass(frozen=True, slots=True)
class Changes:
    """What an import changed.

    Attributes:
        staged: Rows that were places.
        merged: Of these, rows that were merged into another one.
        clashing: Lines whose id belongs to another place.
        inserted: New places.
        updated: Places that changed, or came back.
        retired: Places that are gone.
        hidden: Places that another source shows already.
    """

    staged: int
    merged: int
    clashing: tuple[int, ...]
    inserted: int
    updated: int
    retired: int
    hidden: int


class Importer:
    """Writes data sets.

    Args:
        connection: Used by nobody else, since it has temporary tables.
    """

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection
        self._sql = Queries("rules_svc.places")

    async def take(self, source: str, rows: AsyncIterator[Row], *, may_shrink: bool = False) -> Changes:
        """Makes a source's places exactly those in the rows.

        Args:
            source: Whose places.
            rows: As `row_of` makes them.
            may_shrink: Whether more than half of the source's places may be retired.

        Raises:
            WouldShrink: They would be, and `may_shrink` is false. Nothing is changed.
        """
        async with self._connection.transaction():
            await self._connection.execute("select pg_advisory_xact_lock(hashtext('rules.import'))")
            staged = await self._stage(rows)
            await self._run("import_merge_prepare")
            await self._run("import_merge")
            merged = await self._value("select count(*) from merged where leader <> line")
            clashing = await self._connection.fetch("select line from merged where leader is null order by line")
            await self._connection.execute(self._sql["import_fold"], source)
            await self._run("import_index")
            await self._guard(source, may_shrink)
            inserted, updated = await self._row("import_write", source)
            retired = _count(await self._connection.execute(self._sql["import_retire"], source))
            shown = [row["place_id"] for row in await self._connection.fetch(self._sql["import_unhide"])]
            hidden = _count(await self._connection.execute(self._sql["import_hide"], source, shown))
        return Changes(
            staged=staged,
            merged=merged,
            clashing=tuple(row["line"] for row in clashing),
            inserted=inserted,
            updated=updated,
            retired=retired,
            hidden=hidden,
        )

    async def _stage(self, rows: AsyncIterator[Row]) -> int:
        await self._run("import_stage")
        await self._connection.copy_records_to_table("staged", records=rows, columns=_COLUMNS)
        await self._connection.execute("create unique index on staged (line)")
        await self._connection.execute("analyze staged")
        return await self._value("select count(*) from staged")

    async def _guard(self, source: str, may_shrink: bool) -> None:
        live, gone = await self._row("import_shrinks", source)
        if not may_shrink and live > _FEW and gone > live / 2:
            raise WouldShrink(live, gone)

    async def _run(self, query: str) -> None:
        await self._connection.execute(self._sql[query])

    async def _row(self, query: str, source: str) -> asyncpg.Record:
        (row,) = await self._connection.fetch(self._sql[query], source)
        return row

    async def _value(self, sql: str) -> int:
        value: int = await self._connection.fetchval(sql)
        return value


def row_of(line: int, entry: PlaceRow) -> Row:
    """An entry as a row to stage."""
    return (
        line,
        entry.key,
        entry.kind,
        entry.name.ko,
        entry.name.en,
        entry.address,
        asyncpg.Point(entry.location.longitude, entry.location.latitude),
        sorted(entry.materials),
        entry.opening_hours.ko,
        entry.opening_hours.en,
        entry.hours,
        entry.phone,
    )


def _count(status: str) -> int:
    """The number of rows in a command's status, such as "UPDATE 3"."""
    return int(status.rsplit(" ", 1)[1])
