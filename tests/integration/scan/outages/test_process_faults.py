"""Worker processes killed and frozen, and PostgreSQL killed under three hundred scans."""

import asyncio
import os
import signal
from pathlib import Path

import asyncpg
import pytest

from local.files import ENV_FILE, read_env
from local.stack.background import running
from local.stack.stack import StackPart
from mesh.migrations import migrate
from scan_svc.scans import State
from tests.support.scan.journal import Event
from tests.support.scan.scan_parts import ScanParts, opened
from tests.support.scan.worker_processes import Processes
from tests.support.stack_folders import stack_folder
from tests.support.waiting import eventually


async def test_vision_is_called_once_although_its_worker_is_killed_after_it(
    parts: ScanParts, processes: Processes
) -> None:
    """kill -9 between two stages: another process goes on from what was stored, and does again what cost nothing."""
    scan_id = await parts.submit()
    doomed = processes.start(hold="answer")
    await processes.until(Event.STARTED, "answer")
    doomed.kill()
    processes.start()
    scan = await parts.ended(scan_id)
    assert scan.state is State.SUCCEEDED
    assert [processes.count(Event.STARTED, stage) for stage in ("vision", "rules", "answer")] == [1, 2, 2]


async def test_a_frozen_worker_stops_by_itself_when_it_thaws(parts: ScanParts, processes: Processes) -> None:
    """Others have finished its scan: it lets go, registers anew, and starts nothing."""
    scan_id = await parts.submit()
    frozen = processes.start(hold="answer")
    await processes.until(Event.STARTED, "answer")
    frozen.send_signal(signal.SIGSTOP)
    processes.start()
    before = await parts.ended(scan_id)
    frozen.send_signal(signal.SIGCONT)
    await processes.until(Event.REGISTERED, count=3)
    assert before.state is State.SUCCEEDED
    assert await parts.store.get(scan_id) == before
    assert [processes.count(Event.STARTED, stage) for stage in ("vision", "rules", "answer", "reward")] == [1, 2, 2, 1]


@pytest.mark.stack
async def test_a_restart_of_postgresql_costs_nothing_in_the_middle_of_three_hundred() -> None:
    """Each has just paid for its classification, and can't store it: the result is kept until the database is back."""
    count = 300
    with stack_folder() as folder, running(folder, part=StackPart.STORES) as variables:
        dsn = variables["ECO2_DATABASE_URL"]
        await migrate(dsn, "scan_svc")
        async with opened(dsn, variables["ECO2_REDIS_URL"]) as parts:
            gate, waiting = asyncio.Event(), asyncio.Event()

            async def hold() -> None:
                if parts.peers.calls["vision"] == count:
                    waiting.set()
                await gate.wait()

            parts.peers.before["vision"] = hold
            await asyncio.gather(*(parts.submit() for _ in range(count)))
            async with parts.worker().working():
                await asyncio.wait_for(waiting.wait(), 30)
                kill_immediately("postgres", folder)
                gate.set()
                await eventually(lambda: all_succeeded(dsn, count), 60)
            assert parts.peers.calls == dict.fromkeys(("vision", "rules", "answer", "reward"), count)


def kill_immediately(name: str, stack: Path) -> None:
    """PostgreSQL's immediate shutdown: no checkpoint, no goodbye. The stack starts it again."""
    pids = dict(pair.split("=") for pair in read_env(stack / ENV_FILE)["ECO2_PIDS"].split(","))
    os.kill(int(pids[name]), signal.SIGQUIT)


async def all_succeeded(dsn: str, count: int) -> bool:
    """Whether so many scans have succeeded and got their rewards, in a database that may be away."""
    try:
        connection = await asyncpg.connect(dsn)
        succeeded = await connection.fetchval(
            "select count(*) from scan.scan where state = 'SUCCEEDED' and outputs ->> 'reward' is not null"
        )
        await connection.close()
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
        return False
    return bool(succeeded == count)
