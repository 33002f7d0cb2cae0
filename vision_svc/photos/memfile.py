"""A file in memory (memfd) for one photo or clip, which another process reads without a copy."""

import contextlib
import os
from collections.abc import Callable, Iterator

from vision_svc.photos.photos import demand_size


class MemFile:
    """One photo or clip on its way to the decoder.

    Args:
        descriptor: Of an empty file in memory.
        demand: Refuses what is too large for its kind.
    """

    def __init__(self, descriptor: int, demand: Callable[[int], None]) -> None:
        self.descriptor = descriptor
        self._demand = demand
        self._size = 0

    def __len__(self) -> int:
        return self._size

    def write(self, piece: bytes) -> None:
        """Adds a piece as it comes from the network.

        Raises:
            InvalidArgument: It would be larger than its kind may be.
        """
        if piece:
            self._demand(self._size + len(piece))
            self._size += os.write(self.descriptor, piece)

    def content(self) -> bytes:
        """The whole file."""
        return os.pread(self.descriptor, self._size, 0)

    def read(self, size: int, offset: int = 0) -> bytes:
        """What another process has written behind the file.

        Args:
            size: In bytes.
            offset: So many bytes further on.
        """
        return os.pread(self.descriptor, size, self._size + offset)


@contextlib.contextmanager
def memfile(demand: Callable[[int], None] = demand_size) -> Iterator[MemFile]:
    """An empty one; its memory is freed at exit.

    Args:
        demand: Told each size before it grows to it; raises if the kind of file may not be so large. By default a
            photo's.
    """
    descriptor = os.memfd_create("photo")
    try:
        yield MemFile(descriptor, demand)
    finally:
        os.close(descriptor)
