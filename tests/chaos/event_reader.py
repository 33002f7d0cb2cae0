"""A consumer of the log of events during a chaos run: what it has read, in the order of reading."""

import asyncio

import asyncpg

from mesh import outages
from scan_svc.events.events import Cursor, Event
from scan_svc.events.store import EventStore

_PAGE = 50
_PAUSE_SECONDS = 0.05


class EventReader:
    """Follows the log from its beginning, whatever happens to PostgreSQL.

    Args:
        pool: Connections.

    Attributes:
        read: What it has read.
    """

    def __init__(self, pool: asyncpg.Pool) -> None:
        self.read: list[Event] = []
        self._store = EventStore(pool)
        self._cursor: Cursor | None = None

    async def run(self) -> None:
        """Reads for ever."""
        while True:
            if not await self._page():
                await asyncio.sleep(_PAUSE_SECONDS)

    async def finish(self) -> None:
        """Reads what is left, once nothing changes any more."""
        while await self._page():
            pass

    async def _page(self) -> bool:
        try:
            cursor = self._cursor or await self._store.oldest()
            page = await self._store.page(cursor, _PAGE)
        except Exception as error:
            if outages.from_exception(error) is None:
                raise
            return False
        self.read += page.events
        self._cursor = page.cursor
        return bool(page.events)
