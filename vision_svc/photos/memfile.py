"""A file in memory (memfd) for one photo, which another process reads without a copy."""

import contextlib
import os
from collections.abc import Iterator

from vision_svc.photos.photos import demand_size


class MemFile:
    """One photo on its way to the decoder. Never holds more than `photos.MAX_BYTES`.

    Args:
        descriptor: Of an empty file in memory.
    """

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self._size = 0

    def __len__(self) -> int:
        return self._size

    def write(self, piece: bytes) -> None:
        """Adds a piece as it comes from the network.

        Raises:
            InvalidArgument: PHOTO_TOO_LARGE.
        """
        if piece:
            demand_size(self._size + len(piece))
            self._size += os.write(self.descriptor, piece)

    def content(self) -> bytes:
        """The whole photo."""
        return os.pread(self.descriptor, self._size, 0)

    def read(self, size: int) -> bytes:
        """What another process has written behind the photo.

        Args:
            size: In bytes.
        """
        return os.pread(self.descriptor, size, self._size)


@contextlib.contextmanager
def memfile() -> Iterator[MemFile]:
    """An empty one; its memory is freed at exit."""
    descriptor = os.memfd_create("photo")
    try:
        yield MemFile(descriptor)
    finally:
        os.close(descriptor)
