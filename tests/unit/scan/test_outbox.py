"""Announcements on their way to Redis, over an outage."""

import asyncio
from collections.abc import Mapping

from mesh.circuit_breakers import CircuitBreaker
from mesh.redis import DOWN
from scan_svc.progress.outbox import Outbox


class Sending:
    """What was sent, and what comes of it."""

    def __init__(self) -> None:
        self.batches: list[Mapping[str, int]] = []
        self.begun: asyncio.Queue[None] = asyncio.Queue()
        self.outcomes: asyncio.Queue[Exception | None] = asyncio.Queue()

    async def send(self, batch: Mapping[str, int]) -> None:
        self.batches.append(dict(batch))
        self.begun.put_nowait(None)
        if outcome := await self.outcomes.get():
            raise outcome


async def _answers() -> None:
    """A probe that finds Redis."""


async def test_what_is_on_its_way_isnt_replaced_by_what_was_sent_before_it() -> None:
    """Redis is away and back while a state is on its way, and that is lost: it is sent again, not its predecessor."""
    sending, breaker, closed = Sending(), CircuitBreaker("redis", DOWN, _answers), asyncio.Event()
    outbox: Outbox[int] = Outbox(breaker, sending.send, lambda version: version)
    breaker.when_closed(closed.set)
    sending.outcomes.put_nowait(None)
    outbox.put("scan", 1)
    await outbox.flush()
    outbox.put("scan", 2)
    for _ in range(2):
        await sending.begun.get()
    breaker.open(ConnectionError("another server has taken over"))
    await closed.wait()
    sending.outcomes.put_nowait(ConnectionError("lost"))
    sending.outcomes.put_nowait(None)
    await outbox.flush()
    await breaker.aclose()
    assert sending.batches == [{"scan": 1}, {"scan": 2}, {"scan": 2}]
