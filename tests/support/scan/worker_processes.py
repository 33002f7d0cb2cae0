"""Worker processes of a test that kills or freezes them."""

import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import msgspec

from scan_svc.settings import StageName
from tests.support.scan import journal
from tests.support.scan.journal import Event
from tests.support.scan.unruly_peers import FaultRates
from tests.support.scan.worker import Orders
from tests.support.waiting import eventually


class Processes:
    """Worker processes on a database, and their journals."""

    def __init__(self, database_url: str, redis_url: str, journals: Path) -> None:
        self._stores = database_url, redis_url
        self._journals = journals
        self._exits = ExitStack()

    def start(self, hold: str = "", stages: tuple[StageName, ...] = ()) -> "subprocess.Popen[bytes]":
        """A worker whose peers never fail, but never get past the stage `hold`; of some stages, or of all."""
        orders = Orders(*self._stores, str(self._journals), 1.0, FaultRates(0.0, 0.0, hold), stages)
        command = [sys.executable, "-m", "tests.support.scan.worker", msgspec.json.encode(orders).decode()]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        self._exits.callback(process.wait)
        self._exits.callback(process.kill)
        return process

    def at(self, stage: str) -> set[int]:
        """Which processes have begun a stage."""
        entries = journal.read(self._journals)
        return {entry.pid for entry in entries if entry.event is Event.STARTED and entry.stage == stage}

    def count(self, event: Event, stage: str = "") -> int:
        """How often something happened."""
        return sum(entry.event is event and entry.stage == stage for entry in journal.read(self._journals))

    async def until(self, event: Event, stage: str = "", count: int = 1) -> None:
        """Waits until something has happened so often."""

        async def happened() -> bool:
            return self.count(event, stage) >= count

        await eventually(happened)

    def close(self) -> None:
        """Ends those that are left."""
        self._exits.close()
