"""The breaker: nobody waits for a store that is away, and nobody has to bring it back."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from mesh.circuit_breakers import CircuitBreaker, CircuitOpen, CircuitState


class Store:
    """A store that is there, away, or silent."""

    def __init__(self) -> None:
        self.away = False
        self.fault: Exception | None = None
        self.silent = asyncio.Event()
        self.silent.set()
        self.probed = asyncio.Event()
        self.probes = 0
        self.most_probes = 0

    async def ask(self) -> str:
        await self.silent.wait()
        if self.fault:
            raise self.fault
        if self.away:
            raise ConnectionError("refused")
        return "answer"

    async def probe(self) -> None:
        self.probes += 1
        self.most_probes = max(self.probes, self.most_probes)
        self.probed.set()
        try:
            await self.ask()
        finally:
            self.probes -= 1


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
async def breaker(store: Store) -> AsyncIterator[CircuitBreaker]:
    breaker = CircuitBreaker("store", (ConnectionError,), store.probe)
    yield breaker
    await breaker.aclose()


async def test_calls_pass_while_the_store_answers(breaker: CircuitBreaker) -> None:
    breaker.demand()
    assert breaker.state is CircuitState.CLOSED


async def test_after_a_failure_nobody_asks_a_silent_store(store: Store, breaker: CircuitBreaker) -> None:
    """Half open, it is the probe that waits; users are refused at once."""
    breaker.open(ConnectionError())
    store.silent.clear()
    await store.probed.wait()
    assert breaker.state is CircuitState.HALF_OPEN
    for _ in range(100):
        with pytest.raises(CircuitOpen):
            breaker.demand()
    assert store.most_probes == 1


async def test_it_closes_by_itself_and_says_so(store: Store, breaker: CircuitBreaker) -> None:
    closed = asyncio.Event()
    breaker.when_closed(closed.set)
    store.away = True
    breaker.open(ConnectionError())
    await store.probed.wait()
    assert not breaker.closed
    store.away = False
    await closed.wait()
    breaker.demand()


async def test_a_fault_of_our_own_in_the_probe_keeps_it_open_no_longer_than_it_lasts(
    store: Store, breaker: CircuitBreaker
) -> None:
    """Half open for ever would be an outage that only a restart ends."""
    closed = asyncio.Event()
    breaker.when_closed(closed.set)
    store.fault = RuntimeError("unforeseen")
    breaker.open(ConnectionError())
    await store.probed.wait()
    store.fault = None
    async with asyncio.timeout(10):
        await closed.wait()
    breaker.demand()
