"""Look-ups that share a round trip."""

import asyncio
from collections.abc import Mapping, Sequence

import pytest

from mesh.concurrency.batches import Batches


class Store:
    """Answers when it is told to; remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[set[str]] = []
        self.answers = asyncio.Semaphore(0)
        self.error: Exception | None = None

    async def fetch(self, keys: Sequence[str]) -> Mapping[str, str]:
        self.asked.append(set(keys))
        round_trip = len(self.asked)
        await self.answers.acquire()
        if self.error:
            raise self.error
        return {key: f"{key}{round_trip}" for key in keys if key != "missing"}


async def started(*lookups: "asyncio.Task[str | None]") -> None:
    for _ in range(3):
        await asyncio.sleep(0)


async def test_who_asks_meanwhile_shares_the_next_round_trip() -> None:
    """And never gets what was on its way before they asked."""
    store = Store()
    batches = Batches(store.fetch)
    first = asyncio.create_task(batches.get("a"))
    await started(first)
    later = [asyncio.create_task(batches.get(key)) for key in ("a", "b", "a", "missing")]
    await started(*later)
    for _ in range(2):
        store.answers.release()
    assert await first == "a1"
    assert await asyncio.gather(*later) == ["a2", "b2", "a2", None]
    assert store.asked == [{"a"}, {"a", "b", "missing"}]


async def test_a_batch_has_a_limit() -> None:
    store = Store()
    for _ in range(3):
        store.answers.release()
    batches = Batches(store.fetch, limit=2)
    await asyncio.gather(*(batches.get(str(key)) for key in range(5)))
    assert [len(keys) for keys in store.asked] == [2, 2, 1]


async def test_who_has_waited_longest_goes_first() -> None:
    """Or under load the first would starve."""
    store = Store()
    batches = Batches(store.fetch, limit=2)
    lookups = [asyncio.create_task(batches.get(str(key))) for key in range(5)]
    await started(*lookups)
    for _ in range(3):
        store.answers.release()
    await asyncio.gather(*lookups)
    assert store.asked == [{"0", "1"}, {"2", "3"}, {"4"}]


async def test_a_failure_is_everybodys_and_the_next_round_trip_is_tried() -> None:
    store = Store()
    store.error = ConnectionError("away")
    batches = Batches(store.fetch)
    for _ in range(2):
        store.answers.release()
    failed = await asyncio.gather(batches.get("a"), batches.get("a"), return_exceptions=True)
    assert set(failed) == {store.error}
    store.error = None
    assert await batches.get("a") == "a2"


async def test_who_leaves_takes_nobodys_answer_along() -> None:
    store = Store()
    batches = Batches(store.fetch)
    leaving, staying = (asyncio.create_task(batches.get("a")) for _ in range(2))
    await started(leaving, staying)
    leaving.cancel()
    store.answers.release()
    assert await staying == "a1"
    with pytest.raises(asyncio.CancelledError):
        await leaving
