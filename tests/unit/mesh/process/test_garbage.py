"""The collector of reference cycles: nothing is looked through while a process works, and nothing piles up."""

import gc
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import pytest

from mesh.process import lifetime
from mesh.process.garbage import GarbageCollection

_CYCLES = 200_000


class Process:
    """What a process says of itself."""

    def __init__(self) -> None:
        self.blocks = 500_000
        self.cpu = 0.0
        self.seconds = 0.0

    def pass_second(self, *, busy: bool, late: float = 0.0) -> None:
        self.seconds += 1 + late
        self.cpu += 0.5 if busy else 0.01


class Node:
    """Part of a cycle."""

    def __init__(self) -> None:
        self.itself = self


class FullCollections:
    """Counts how often everything was looked through."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, phase: str, info: dict[str, int]) -> None:
        self.count += phase == "start" and info["generation"] == 2


@contextmanager
def _counted() -> Iterator[FullCollections]:
    full = FullCollections()
    gc.callbacks.append(full)
    try:
        yield full
    finally:
        gc.callbacks.remove(full)


@pytest.fixture
def process() -> Process:
    """A process that has just started."""
    return Process()


@pytest.fixture
def _collector_kept() -> Iterator[None]:
    """The collector of the tests is as before afterwards."""
    before = gc.get_threshold()
    try:
        yield
    finally:
        gc.unfreeze()
        gc.set_threshold(*before)


@pytest.fixture
def garbage(process: Process, _collector_kept: None) -> GarbageCollection:
    """Its collector, at work."""
    collection = GarbageCollection(lambda: process.blocks, lambda: process.cpu, lambda: process.seconds)
    collection.begin()
    return collection


def _looks(garbage: GarbageCollection, process: Process, *, busy: bool, late: float = 0.0) -> int:
    """How many full collections a second brings."""
    process.pass_second(busy=busy, late=late)
    with _counted() as full:
        garbage.look()
    return full.count


@pytest.mark.usefixtures("garbage")
def test_no_full_collection_by_itself() -> None:
    """However many objects come and stay: of the streams that are open."""
    with _counted() as full:
        kept = [[number] for number in range(2_000_000)]
    assert len(kept) == 2_000_000
    assert not full.count


@pytest.mark.usefixtures("_collector_kept")
def test_a_process_that_starts_is_not_looked_through(monkeypatch: pytest.MonkeyPatch) -> None:
    """What it makes stays: a rule book, a model, thousands of classes."""
    passes = []

    @asynccontextmanager
    async def application() -> AsyncIterator[None]:
        with _counted() as full:
            kept = [[number] for number in range(500_000)]
        assert len(kept) == 500_000
        passes.append(full.count)
        os.kill(os.getpid(), signal.SIGTERM)  # ends it once it has started
        yield

    monkeypatch.setattr(os, "environ", {**os.environ})  # what a process sets in its own
    gc.set_threshold(700, 10, 10)  # a process begins with these
    lifetime.run(application)
    assert passes == [0]


@pytest.mark.usefixtures("garbage")
def test_young_cycles_are_collected_all_the_same() -> None:
    """What calls leave behind doesn't wait for the process to be idle."""
    before = len(gc.get_objects())
    for _ in range(_CYCLES):
        Node()
    assert len(gc.get_objects()) - before < _CYCLES / 10


def test_growth_is_looked_through_once_the_process_is_idle(garbage: GarbageCollection, process: Process) -> None:
    """Not a moment before, and once."""
    process.blocks += 500_000
    assert _looks(garbage, process, busy=True) == 0
    assert _looks(garbage, process, busy=False) == 1
    assert _looks(garbage, process, busy=False) == 0


def test_a_process_that_gets_no_turn_is_not_idle(garbage: GarbageCollection, process: Process) -> None:
    """On a machine that others keep busy it uses as little CPU as an idle one, and its callers wait already."""
    process.blocks += 500_000
    assert _looks(garbage, process, busy=False, late=0.1) == 0
    assert _looks(garbage, process, busy=False) == 1


def test_an_idle_process_that_has_not_grown_is_left_alone(garbage: GarbageCollection, process: Process) -> None:
    """Also when as much comes as has gone before."""
    assert sum(_looks(garbage, process, busy=False) for _ in range(100)) == 0
    process.blocks -= 300_000
    assert _looks(garbage, process, busy=False) == 0
    process.blocks += 50_000
    assert _looks(garbage, process, busy=False) == 0


def test_a_busy_process_that_doubles_is_looked_through(garbage: GarbageCollection, process: Process) -> None:
    """Cycles among old objects could be what fills the memory; a thousand seconds of it cost a few passes."""
    passes = 0
    for _ in range(1000):
        process.blocks += 10_000
        passes += _looks(garbage, process, busy=True)
    assert 2 <= passes <= 5
