"""What models have cost today by the books in PostgreSQL, for whoever counts and has lost count.

Vision and Rules hold to the day's caps by a count in Redis. When that is lost they ask their caller, which is Scan: its
books know what was paid for scans and replies, failed tries included. Nothing is asked while Redis has the count.
"""

import time
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from typing import Any

import asyncpg

from mesh import outages
from mesh.concurrency.batches import Batches
from mesh.errors import EcoError
from mesh.grpc.client import Peer
from mesh.models.spent import Spent, header
from mesh.postgres import Queries
from mesh.reasons import Reason

# How long everybody's sum is believed; adding up a day takes longer than one user's.
_SUM_SECONDS = 5.0
# How long figures come with every call once somebody has asked: they may have no Redis at all.
_ASKED_SECONDS = 5.0


class Spending:
    """The day's cost.

    Args:
        pool: Connections.
        clock: Monotonic seconds.
    """

    def __init__(self, pool: asyncpg.Pool, clock: Callable[[], float] = time.monotonic) -> None:
        self._pool = pool
        self._sql = Queries("scan_svc.pipeline")
        self._clock = clock
        self._accounts: Batches[str, int] = Batches(self._add_up)
        self._everybodys: Batches[None, int] = Batches(self._add_up_all)
        self._sum: tuple[float, int] | None = None
        self._asked_until = 0.0

    async def call(
        self, peer: Peer, method: Callable[..., Any], request: object, last: str, *, timeout: float, user_id: str
    ) -> AsyncGenerator[Any, None]:
        """A streaming call that may cost money, made again with the day's figures if they are asked for.

        Args:
            peer: Whom.
            method: The stub's method.
            request: Its request.
            last: The field that the last message has.
            timeout: Seconds that remain.
            user_id: On whose account.

        Raises:
            EcoError: What the peer answered, or Unavailable when it or the database can't be reached.
        """
        ends_at = self._clock() + timeout
        spent = await self._spent(user_id) if self._clock() < self._asked_until else None
        for told in (False, True):
            left = ends_at - self._clock()
            try:
                async with aclosing(
                    peer.stream(method, request, timeout=left, user_id=user_id, headers=(header(spent),), last=last)
                ) as events:
                    async for event in events:
                        yield event
                    return
            except EcoError as error:
                if told or error.reason is not Reason.MODEL_SPENT_UNKNOWN:
                    raise
            self._asked_until = self._clock() + _ASKED_SECONDS
            spent = await self._spent(user_id)

    async def _spent(self, user_id: str) -> Spent:
        try:
            return Spent(await self._everybody(), await self._accounts.get(user_id) or 0)
        except Exception as error:
            if outage := outages.from_exception(error):
                raise outage from error
            raise

    async def _everybody(self) -> int:
        if self._sum is None or self._clock() - self._sum[0] > _SUM_SECONDS:
            self._sum = self._clock(), await self._everybodys.get(None) or 0
        return self._sum[1]

    async def _add_up(self, users: Sequence[str]) -> Mapping[str, int]:
        return {user: await self._pool.fetchval(self._sql["spent_today"], user) for user in users}

    async def _add_up_all(self, _: Sequence[None]) -> Mapping[None, int]:
        return {None: await self._pool.fetchval(self._sql["spent_today"], None)}
