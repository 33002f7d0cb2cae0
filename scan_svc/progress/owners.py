"""Whose a scan is, whatever Redis shows of it.

A guest's scans become another user's at once in PostgreSQL. Redis may show them for a day as the guest's, and workers
that are at them don't know. So whoever reads a snapshot asks here. Who was moved is known from the first call that
finds it out, and in every process within seconds: until then a token of the guest still reads what Redis has.
"""

import asyncio

import asyncpg
import structlog

from mesh import outages
from mesh.errors import NotFound
from mesh.postgres import Queries
from mesh.reasons import Reason
from scan_svc.progress.snapshots import SCAN, Snapshot

_log = structlog.get_logger("owners")

_LOOK_SECONDS = 5.0


class Owners:
    """The users whose scans were moved.

    Args:
        pool: Connections.
    """

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._sql = Queries("scan_svc.progress")
        self._moved: dict[str, str] = {}
        self._found: dict[str, str] = {}  # since the last look began

    async def owned(self, scan: Snapshot, user_id: str, *, any_kind: bool = False) -> Snapshot:
        """A scan, if it is the user's.

        Args:
            scan: It.
            user_id: Whose it must be.
            any_kind: Whether it may be a client job.

        Raises:
            NotFound: It isn't theirs, or no scan.
        """
        if scan.kind != SCAN and not any_kind:
            raise NotFound(Reason.SCAN_NOT_FOUND, scan_id=scan.scan_id)
        owner = self._moved.get(scan.user_id, scan.user_id)
        if owner != user_id and (to_user := await self._pool.fetchval(self._sql["moved_to"], scan.user_id)):
            self.moved(scan.user_id, to_user)
            owner = to_user
        if owner != user_id:
            raise NotFound(Reason.SCAN_NOT_FOUND, scan_id=scan.scan_id)
        return scan

    def moved(self, from_user: str, to_user: str) -> None:
        """A user's scans have become another one's."""
        self._moved[from_user] = self._found[from_user] = to_user

    async def run(self) -> None:
        """Learns who was moved by other processes, for ever."""
        while True:
            self._found = {}
            try:
                rows = await self._pool.fetch(self._sql["moved_users"])
                self._moved = {row["from_user"]: row["to_user"] for row in rows} | self._found
            except Exception as error:
                if outages.from_exception(error) is None:
                    raise
                _log.warning("moved users not read", error=type(error).__name__)
            await asyncio.sleep(_LOOK_SECONDS)
