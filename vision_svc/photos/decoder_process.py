"""One process that meets hostile bytes, as the service sees it: a file is passed, messages come back."""

import asyncio
import socket
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from types import MappingProxyType

from vision_svc.photos.memfile import MemFile

_ANSWER_BYTES = 4096
_PATIENCE = 3  # limit by the clock, as a multiple of the limit on CPU time: the machine does other work as well
_DYING_SECONDS = 1.0
# The service's environment, with its keys, isn't passed on. glibc returns large blocks at once and has one arena.
_ENVIRONMENT: Mapping[str, str] = MappingProxyType(
    {"MALLOC_ARENA_MAX": "1", "MALLOC_MMAP_THRESHOLD_": "262144", "MALLOC_TRIM_THRESHOLD_": "1048576"}
)


class Died(Exception):
    """The process is gone; the argument is how it ended: its exit status, or minus the signal that killed it."""


class DecoderProcess:
    """One process.

    Args:
        command: Starts it; the two limits follow as arguments.
        seconds: CPU time one file may take.
        megabytes: Address space it may use.
    """

    def __init__(self, command: Sequence[str], seconds: float, megabytes: int) -> None:
        self._seconds = seconds
        self._ends_at = 0.0
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            # Not through the event loop: the child exists when this returns, and only this class waits for it.
            self._child: subprocess.Popen[bytes] = subprocess.Popen(
                [*command, str(megabytes), str(max(1, round(seconds)))],
                stdin=theirs.fileno(),
                env=dict(_ENVIRONMENT),
            )
        ours.setblocking(False)
        self._wire = ours

    def ask(self, request: bytes, file: MemFile) -> None:
        """Hands a file over; from now on its time runs.

        Args:
            request: What is wanted, in at most 32 bytes.
            file: Of which.
        """
        self._ends_at = asyncio.get_running_loop().time() + self._seconds * _PATIENCE
        with suppress(OSError):  # it died: `reply` tells how
            socket.send_fds(self._wire, [request], [file.descriptor])

    async def reply(self) -> bytes:
        """The next message about the file.

        Raises:
            TimeoutError: It took too long.
            Died: The process ended.
        """
        try:
            async with asyncio.timeout_at(self._ends_at):
                message = await asyncio.get_running_loop().sock_recv(self._wire, _ANSWER_BYTES)
        except OSError as error:
            if isinstance(error, TimeoutError):
                raise
            message = b""
        if not message:
            raise Died(await self.end(_DYING_SECONDS))
        return message

    @property
    def alive(self) -> bool:
        """Whether it can take another file."""
        return self._child.poll() is None

    async def end(self, patience: float = 0) -> int:
        """Ends it, whatever it is doing; returns its exit status, minus the signal's number if one killed it.

        Args:
            patience: Seconds to let it end by itself, so that its own exit status is returned.
        """
        self._wire.close()
        return await asyncio.to_thread(self._wait, patience)

    def _wait(self, patience: float) -> int:
        with suppress(subprocess.TimeoutExpired):
            return self._child.wait(patience)
        self._child.kill()
        return self._child.wait()
