"""A folder on this machine's disk for what an export is made of; it goes with the export, whatever becomes of that.

A process that is killed leaves its folder behind. Each is locked by who uses it, so the next export knows those that
nobody does, and removes them: `/tmp` of a container outlives its processes.
"""

import fcntl
import os
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_PREFIX = "eco2-export-"
# A folder is locked a moment after it is made.
_SETTLED_SECONDS = 60.0


@contextmanager
def spool() -> Iterator[Path]:
    """A new, empty folder that nobody else may read; blocks while folders are removed."""
    _sweep()
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
    lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def _sweep() -> None:
    """Removes folders that nobody uses."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        with suppress(OSError):  # gone meanwhile, somebody else's, or in use
            _remove_unused(folder)


def _remove_unused(folder: Path) -> None:
    lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        about = os.fstat(lock)
        old = time.time() - about.st_mtime > _SETTLED_SECONDS
        if stat.S_ISDIR(about.st_mode) and about.st_uid == os.geteuid() and old:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(lock)
