"""Replies in PostgreSQL.

Transaction contract: a reply and what it made of its scan are one statement. The scan's version decides races: a reply
that was worked out on an older version changes nothing.
"""

from dataclasses import dataclass

import asyncpg

from mesh.postgres import Queries
from scan_svc.rows import to_json
from scan_svc.scans import Scan


@dataclass(frozen=True, slots=True)
class Reply:
    """What a user replied, and what came of it.

    Attributes:
        text: The reply.
        request_id: Makes it idempotent for its scan; empty if there is none.
        understood: Whether it settled anything.
        message: What the user was told about it.
        question: The question that counts from then on.
    """

    text: str
    request_id: str
    understood: bool
    message: str
    question: str = ""


class ReplyStore:
    """The replies to all scans.

    Args:
        pool: Connections.
        queries: The service's SQL.
    """

    def __init__(self, pool: asyncpg.Pool, queries: Queries) -> None:
        self._pool = pool
        self._sql = queries

    async def find(self, scan_id: str, request_id: str) -> Reply | None:
        """The reply that was made under a request_id before."""
        row = await self._pool.fetchrow(self._sql["find_reply"], scan_id, request_id)
        return Reply(row["reply"], request_id, row["understood"], row["message"]) if row else None

    async def last_question(self, scan_id: str) -> str | None:
        """The question that counts since the last reply that was understood; None if none was."""
        question: str | None = await self._pool.fetchval(self._sql["last_question"], scan_id)
        return question

    async def keep(self, scan_id: str, reply: Reply) -> bool:
        """Keeps a reply that settled nothing; False if its scan is gone, or the request was answered meanwhile."""
        kept = await self._pool.fetchval(
            self._sql["keep_reply"], scan_id, reply.request_id, reply.text, reply.message, reply.question
        )
        return kept is not None

    async def sharpen(self, read: Scan, sharper: Scan, reply: Reply) -> bool:
        """Stores what a reply made of a scan.

        Args:
            read: The scan as it was read.
            sharper: The scan as it is to be.
            reply: The reply.

        Returns:
            False if the scan has changed since it was read, or the request was answered; nothing was stored then.
        """
        try:
            kept = await self._pool.fetchval(
                self._sql["sharpen"],
                read.scan_id, reply.request_id, reply.text, reply.message, reply.question, read.version,
                to_json(sharper.results), to_json(sharper.stages), sharper.region,
            )  # fmt: skip
        except asyncpg.UniqueViolationError:
            return False
        return kept is not None
