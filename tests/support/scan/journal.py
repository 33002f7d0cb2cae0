"""What the stages did, written down as it happened, by processes that may be killed at any instant.

Each process appends to a file of its own. A line is one `write` to a file opened with O_APPEND, so it is whole or not
there, and the kernel keeps it whatever becomes of the process.
"""

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import msgspec


class Event(StrEnum):
    """What can be in a journal."""

    REGISTERED = "registered"
    STARTED = "started"
    PAID = "paid"
    POISONED = "poisoned"
    LEAVING = "leaving"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line.

    Attributes:
        at: Seconds since the epoch; PostgreSQL on the same machine reads the same clock.
        pid: Who wrote it.
        event: What happened.
        scan_id: To which scan; empty for REGISTERED and LEAVING.
        stage: At which stage; empty for REGISTERED and LEAVING.
        began: When the try started that was paid; 0 unless PAID.
        worker_id: As which worker; 0 unless REGISTERED.
    """

    at: float
    pid: int
    event: Event
    scan_id: str = ""
    stage: str = ""
    began: float = 0.0
    worker_id: int = 0


class Journal:
    """The journal of this process.

    Args:
        folder: Where the journals of all processes are.
    """

    def __init__(self, folder: Path) -> None:
        self._pid = os.getpid()
        self._file = os.open(folder / f"{self._pid}.jsonl", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def registered(self, worker_id: int) -> None:
        """This process works under this number from now on."""
        self._write(Entry(at=time.time(), pid=self._pid, event=Event.REGISTERED, worker_id=worker_id))

    def leaving(self) -> None:
        """This process has heard that it is to leave: from now on it begins nothing."""
        self._write(Entry(at=time.time(), pid=self._pid, event=Event.LEAVING))

    def started(self, scan_id: str, stage: str) -> float:
        """A try of a stage begins; returns when."""
        entry = Entry(at=time.time(), pid=self._pid, event=Event.STARTED, scan_id=scan_id, stage=stage)
        self._write(entry)
        return entry.at

    def paid(self, scan_id: str, stage: str, began: float) -> None:
        """The try that began then has cost its money."""
        self._write(Entry(at=time.time(), pid=self._pid, event=Event.PAID, scan_id=scan_id, stage=stage, began=began))

    def poisoned(self, scan_id: str, stage: str) -> None:
        """This scan is about to kill this process."""
        self._write(Entry(at=time.time(), pid=self._pid, event=Event.POISONED, scan_id=scan_id, stage=stage))

    def _write(self, entry: Entry) -> None:
        os.write(self._file, msgspec.json.encode(entry) + b"\n")


def read(folder: Path) -> Iterator[Entry]:
    """Everything all processes wrote, in no particular order."""
    for file in folder.glob("*.jsonl"):
        for line in file.read_bytes().splitlines():
            yield msgspec.json.decode(line, type=Entry)
