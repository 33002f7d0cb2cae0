"""Pools whose database fails at the moment that a test needs."""

from typing import Any

import asyncpg


class LosingPool:
    """Connections that break at a statement, once: before PostgreSQL got it, or after it was committed."""

    def __init__(self, pool: asyncpg.Pool, statement: str, *, committed: bool) -> None:
        self._pool = pool
        self._statement = statement
        self._committed = committed
        self.broke = False

    async def fetch(self, query: str, *arguments: Any) -> list[asyncpg.Record]:
        if query != self._statement or self.broke:
            return await self._pool.fetch(query, *arguments)
        self.broke = True
        if self._committed:
            await self._pool.fetch(query, *arguments)
        raise asyncpg.ConnectionDoesNotExistError("the connection was lost")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._pool, name)


class FlakyPool:
    """Connections to a database that can be away; counts who asked in vain."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self.away = False
        self.refused = 0

    def __getattr__(self, name: str) -> Any:
        if self.away:
            self.refused += 1
            raise ConnectionRefusedError("away")
        return getattr(self._pool, name)
