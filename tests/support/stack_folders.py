"""Folders for stacks that end with their tests."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_MEMORY = Path("/dev/shm")
# A stack's folder has some 150 MB; beside the suite's own there is one more at most.
_ROOM = 2 << 30


@contextmanager
def stack_folder() -> Iterator[Path]:
    """An empty folder, gone when the block is left.

    It is in memory where that has room, since no test outlives the machine: on a disk a database is cloned in 60 to
    160 ms of CPU, in memory in 18. Containers often have 64 MB of such memory, other systems none: then it is on disk.
    """
    roomy = _MEMORY.is_dir() and shutil.disk_usage(_MEMORY).free > _ROOM
    with tempfile.TemporaryDirectory(prefix="eco2-tests-", dir=_MEMORY if roomy else None) as folder:
        yield Path(folder)
