"""One supervised child: a small Python program that does what the test needs."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from local.errors import NotStarted
from local.stack.supervisor import Child, Program

FOREVER = "import signal; signal.pause()"
DEAF = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); signal.pause()"


class Life:
    """What happened to a child."""

    def __init__(self, log: Path) -> None:
        self.log = log
        self.said: list[str] = []
        self.restarts: asyncio.Queue[int] = asyncio.Queue()

    def child(self, program: Program) -> Child:
        """A child that runs `program` and is written down here."""
        child = Child(program, self.log, self.said.append, lambda: self.restarts.put_nowait(child.pid))
        return child


@pytest.fixture
def life(tmp_path: Path) -> Life:
    """A child's log and diary."""
    return Life(tmp_path / "child.log")


async def at_once() -> None:
    """The probe of a program that is ready as soon as it runs."""


def program(code: str) -> Program:
    """Python that runs `code`."""
    return Program(name="child", command=[sys.executable, "-c", code], ready=at_once)


@pytest.fixture
async def started(life: Life) -> AsyncIterator[Callable[[Program], asyncio.Future[Child]]]:
    """Starts a child; stops it at the end of the test."""
    children: list[Child] = []

    async def start(what: Program) -> Child:
        child = life.child(what)
        children.append(child)
        await child.start()
        return child

    yield lambda what: asyncio.ensure_future(start(what))
    for child in children:
        await child.stop()


async def test_a_child_that_is_killed_is_started_again(
    life: Life, started: Callable[[Program], asyncio.Future[Child]]
) -> None:
    """One clear line says who, why and when; then it is back under a new pid."""
    child = await started(program(FOREVER))
    first = child.pid
    os.kill(first, signal.SIGKILL)
    assert await life.restarts.get() == child.pid != first
    assert [line for line in life.said if "SIGKILL" in line and "child" in line and "0.5 s" in line]


async def test_restarts_back_off(life: Life, started: Callable[[Program], asyncio.Future[Child]]) -> None:
    """A child that dies again and again must not keep the machine busy."""
    child = await started(program(FOREVER))
    for _ in range(2):
        os.kill(child.pid, signal.SIGKILL)
        await life.restarts.get()
    pauses = [line.rpartition(" in ")[2] for line in life.said if "died" in line]
    assert pauses == ["0.5 s", "1 s"]


async def test_a_preparation_that_breaks_does_not_end_the_watch(
    life: Life, started: Callable[[Program], asyncio.Future[Child]]
) -> None:
    """Nobody would ever start the child again, and nobody would be told."""
    outcomes: list[Exception | None] = [None, ValueError("bad template"), None]

    async def prepare() -> None:
        outcome = outcomes.pop(0)
        if outcome:
            raise outcome

    child = await started(replace(program(FOREVER), prepare=prepare))
    os.kill(child.pid, signal.SIGKILL)
    assert await life.restarts.get() == child.pid
    assert [line for line in life.said if "bad template" in line]


async def test_a_child_that_ends_at_once_is_reported_with_its_last_words(
    life: Life, started: Callable[[Program], asyncio.Future[Child]]
) -> None:
    """The reason stands in its log; nobody should have to look for it."""

    async def never() -> None:
        raise ConnectionError

    broken = replace(program("print('no such table'); raise SystemExit(3)"), ready=never)
    with pytest.raises(NotStarted) as failed:
        await started(broken)
    assert "exit status 3" in str(failed.value)
    assert "no such table" in str(failed.value)


async def test_a_deaf_child_is_killed_after_its_grace(
    life: Life, started: Callable[[Program], asyncio.Future[Child]]
) -> None:
    """Ctrl-C must end, whatever a child does with its signals."""

    async def deaf() -> None:
        if b"deaf" not in life.log.read_bytes():
            raise ConnectionError

    child = await started(replace(program(DEAF), ready=deaf, grace=0.1))
    await child.stop()
    with pytest.raises(ProcessLookupError):
        os.kill(child.pid, 0)


async def test_a_stopped_child_stays_stopped(life: Life, started: Callable[[Program], asyncio.Future[Child]]) -> None:
    """Its end was asked for: no line, no restart."""
    child = await started(program(FOREVER))
    await child.stop()
    assert life.restarts.empty()
    assert not [line for line in life.said if "died" in line]
