"""Slots that are awaited: who gives up while waiting, who is sent away, who loses patience."""

import asyncio
from collections import Counter
from contextlib import suppress

import pytest

from mesh.concurrency.fair_slots import FairSlots, QueueFull


class _Hall:
    """Tasks that hold a slot each until they are told to go."""

    def __init__(self, slots: FairSlots) -> None:
        self.slots = slots
        self.holding: Counter[str] = Counter()
        self._held = asyncio.Condition()
        self._go = asyncio.Event()

    async def hold(self, user: str) -> None:
        async with self.slots.slot(user):
            self.holding[user] += 1
            async with self._held:
                self._held.notify_all()
            await self._go.wait()

    async def ask(self, users: str) -> list[asyncio.Task[None]]:
        tasks = [asyncio.create_task(self.hold(user)) for user in users]
        await self.settled()
        return tasks

    async def settled(self) -> None:
        """Until every task that can go on has."""
        for _ in range(5):
            await asyncio.sleep(0)

    async def held_by(self, user: str) -> None:
        async with asyncio.timeout(30), self._held:
            await self._held.wait_for(lambda: self.holding[user])

    async def end(self, *tasks: asyncio.Task[None]) -> None:
        self._go.set()
        await asyncio.gather(*tasks)
        assert len(self.slots) == 0


async def test_a_user_who_came_first_leaves_a_slot_to_the_next() -> None:
    """The reserve, beside as many as anybody may have."""
    hall = _Hall(FairSlots(2, 1))
    tasks = await hall.ask("aaaab")
    assert hall.holding == {"a": 2, "b": 1}
    await hall.end(*tasks)


async def test_who_gives_up_takes_no_slot_with_them() -> None:
    """Whether they were waiting, or were granted one in the very moment."""
    hall = _Hall(FairSlots(1))
    first, second, third = await hall.ask("abc")
    second.cancel()
    first.cancel()
    await hall.settled()
    assert hall.holding == {"a": 1, "c": 1}
    await hall.end(third)
    with suppress(asyncio.CancelledError):
        await second


async def test_a_slot_that_was_granted_to_who_gives_up_goes_on() -> None:
    """The grant and the cancellation are on their way at once."""
    hall = _Hall(FairSlots(1))
    first, second, third = await hall.ask("abc")
    first.cancel()
    await asyncio.sleep(0)  # the slot is granted to b, who hasn't heard of it
    second.cancel()
    await hall.settled()
    assert hall.holding["c"] == 1
    await hall.end(third)


async def test_where_too_many_wait_the_longest_queue_makes_room() -> None:
    """One user's thousand photos must not fill the queue for everybody."""
    hall = _Hall(FairSlots(1, queue=3))
    *many, last = await hall.ask("aaaa")
    (other,) = await hall.ask("b")
    assert isinstance(last.exception(), QueueFull)
    (more,) = await hall.ask("a")
    assert isinstance(more.exception(), QueueFull)
    await hall.end(*many, other)


async def test_without_a_queue_there_is_only_what_is_free() -> None:
    """Room for none."""
    hall = _Hall(FairSlots(1, queue=0))
    first, second = await hall.ask("ab")
    assert isinstance(second.exception(), QueueFull)
    await hall.end(first)


async def test_patience_ends() -> None:
    """Where the reserve costs something it is for those whose wait has been long."""
    hall = _Hall(FairSlots(1, 1, patience=0.05))
    tasks = await hall.ask("aab")
    assert hall.holding == {"a": 1}
    await hall.held_by("b")
    assert hall.holding == {"a": 1, "b": 1}
    await hall.end(*tasks)


async def test_an_error_inside_frees_the_slot() -> None:
    """Like any other end."""
    slots = FairSlots(1)
    with pytest.raises(ValueError, match="inside"):
        async with slots.slot("a"):
            raise ValueError("inside")
    assert slots.free("a")
    assert len(slots) == 0
