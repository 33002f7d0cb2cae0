"""Processes of the decoder: the service passes a photo and gets a clean copy.

A process cleans one photo at a time. It is started when all others are busy, and killed when a photo takes too long; if
it dies only that photo is affected. Users share the processes by the time their photos take.

The service is ready once a process has cleaned a photo of our own: an installation that the service finds may be out of
reach for a process with a bare environment.
"""

import asyncio
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from signal import SIGKILL, SIGTERM, SIGXCPU
from types import MappingProxyType

import msgspec
import structlog

from mesh.concurrency.fair_slots import FairSlots
from mesh.concurrency.tasks import end
from mesh.errors import InvalidArgument, Unavailable
from mesh.observability.instruments import Instruments
from mesh.reasons import Reason
from vision_svc.metrics import DecoderMeters
from vision_svc.photos.bulkhead import reserve
from vision_svc.photos.memfile import MemFile, memfile
from vision_svc.photos.photos import Identity, Photo
from vision_svc.photos.sample import SAMPLE

_log = structlog.get_logger("decoding")

MEGABYTES = 768
"""Address space of a decoder: what `formats.picture.DECODED_BYTES` leaves is for the libraries and the file."""

_COMMAND = (sys.executable, "-m", "vision_svc.photos.decoder")
_ANSWER_BYTES = 4096
_TRIES = 2
_PATIENCE = 3  # limit by the clock, as a multiple of the limit on CPU time: the machine does other work as well
_DYING_SECONDS = 1.0
# After which a user who has no photo at work needn't wait for those of others: several times what a usual photo takes,
# so that there are more processes than cores only while photos are slow.
_PATIENCE_WITH_OTHERS = 0.5
# The service's environment, with its keys, isn't passed on. glibc returns large blocks at once and has one arena.
_ENVIRONMENT: Mapping[str, str] = MappingProxyType(
    {"MALLOC_ARENA_MAX": "1", "MALLOC_MMAP_THRESHOLD_": "262144", "MALLOC_TRIM_THRESHOLD_": "1048576"}
)


class _DecoderReply(msgspec.Struct):
    """The process' reply: a clean photo, or a reason."""

    size: int = 0
    digest: str = ""
    width: int = 0
    height: int = 0
    reason: Reason | None = None
    metadata: dict[str, str] = {}


class _Died(Exception):
    """The process is gone; the argument is how it ended."""


class _Process:
    """One process of `vision_svc.photos.decoder`."""

    def __init__(self, seconds: float, megabytes: int) -> None:
        self._seconds = seconds
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            # Not through the event loop: the child exists when this returns, and only this class waits for it.
            self._child: subprocess.Popen[bytes] = subprocess.Popen(
                [*_COMMAND, str(megabytes), str(max(1, round(seconds)))],
                stdin=theirs.fileno(),
                env=dict(_ENVIRONMENT),
            )
        ours.setblocking(False)
        self._wire = ours

    async def ask(self, file: MemFile, side: int = 0) -> _DecoderReply:
        """Cleans one photo, or makes a thumbnail of it.

        Raises:
            TimeoutError: It took too long.
            _Died: The process ended.
        """
        try:
            socket.send_fds(self._wire, [b"%d %d" % (len(file), side)], [file.descriptor])
            async with asyncio.timeout(self._seconds * _PATIENCE):
                message = await asyncio.get_running_loop().sock_recv(self._wire, _ANSWER_BYTES)
        except OSError as error:
            if isinstance(error, TimeoutError):
                raise
            message = b""
        if not message:
            raise _Died(await self.end(_DYING_SECONDS))
        return msgspec.json.decode(message, type=_DecoderReply)

    @property
    def alive(self) -> bool:
        """Whether it can clean another photo."""
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


class DecoderPool:
    """The processes.

    Args:
        count: How many; one a core. While they are busy with others' slow photos, a quarter more.
        seconds: CPU time one photo may take.
        megabytes: Address space of each.
        instruments: Tell what they do; None: nobody does.
    """

    def __init__(
        self, count: int, seconds: float, megabytes: int = MEGABYTES, instruments: Instruments | None = None
    ) -> None:
        self._count = count
        self._slots = FairSlots(count, reserve(count), patience=_PATIENCE_WITH_OTHERS)
        self._seconds = seconds
        self._megabytes = megabytes
        self._idle: list[_Process] = []
        self._busy = 0
        self._meters = DecoderMeters(instruments or Instruments.off())
        self._meters.watch(count, lambda: self._busy, lambda: len(self._idle), lambda: self._slots.waiting)
        self._works = False
        self._checking: asyncio.Task[None] | None = None

    async def demand_working(self) -> None:
        """Returns if a process has cleaned the sample, and none has failed to since.

        Raises:
            Unavailable: None can.
        """
        if not self._works:
            await self._check()

    async def clean(self, file: MemFile, account: str = "") -> Photo:
        """The photo in a file, cleaned.

        Args:
            file: The photo.
            account: The user it is cleaned for; "" for nobody in particular.

        Raises:
            InvalidArgument: PHOTO_EMPTY, PHOTO_TOO_LARGE, PHOTO_FORMAT, PHOTO_UNREADABLE, PHOTO_TRUNCATED or
                PHOTO_TOO_COMPLEX.
            Unavailable: Something outside killed the decoder, twice; or no photo can be cleaned, not even ours.
        """
        answer = await self._made(file, account)
        return Photo(file.read(answer.size), Identity(answer.digest, answer.width, answer.height))

    async def thumbnail(self, file: MemFile, side: int, account: str = "") -> bytes:
        """A small JPEG of the clean copy in a file; raises as `clean` does.

        Args:
            file: The copy.
            side: Pixels of the longer side, at most.
            account: The user it is made for; "" for nobody in particular.
        """
        return file.read((await self._made(file, account, side)).size)

    async def _made(self, file: MemFile, account: str, side: int = 0) -> _DecoderReply:
        """What a process has written behind a photo."""
        async with self._slots.slot(account):
            for attempt in range(1, _TRIES + 1):
                try:
                    return await self._try(file, side)
                except _Died as died:
                    (ended,) = died.args
                    _log.warning("decoder died", status=ended, attempt=attempt, photo_bytes=len(file))
                    if ended == -SIGXCPU:
                        raise self._too_slow() from died
        if ended in (-SIGKILL, -SIGTERM):
            raise _unavailable()
        await self._check()  # before the photo is blamed
        raise InvalidArgument(Reason.PHOTO_UNREADABLE, detail="crashes the decoder")

    async def warm_up(self) -> None:
        """Starts the first process, so that the first photo isn't slower."""
        self._idle.append(_Process(self._seconds, self._megabytes))

    async def close(self) -> None:
        """Ends all of them."""
        if self._checking:
            await end(self._checking)
        for process in self._idle:
            await process.end()
        self._idle.clear()

    async def _try(self, file: MemFile, side: int = 0) -> _DecoderReply:
        process = await self._take()
        began, outcome = time.monotonic(), "died"
        self._busy += 1
        try:
            answer = await process.ask(file, side)
            outcome = "refused" if answer.reason else "cleaned"
        except TimeoutError as error:
            outcome = "too_slow"
            await process.end()
            raise self._too_slow() from error
        except BaseException:  # cancelled in the middle: its reply would be taken for the next photo's
            await process.end()
            raise
        finally:
            self._busy -= 1
            self._meters.ended(outcome, time.monotonic() - began)
        await self._put_by(process)
        if answer.reason:
            raise InvalidArgument.stored(answer.reason, answer.metadata)
        return answer

    async def _check(self) -> None:
        """Has the sample cleaned, once for all who ask meanwhile.

        Raises:
            Unavailable: The process died, or took too long.
        """
        if self._checking is None or self._checking.done():
            self._checking = asyncio.create_task(self._clean_sample(), name="decoder check")
        await asyncio.shield(self._checking)  # who asks may give up before a process has even started

    async def _clean_sample(self) -> None:
        with memfile() as file:
            file.write(SAMPLE)
            try:
                await self._try(file)  # in nobody's slot: users' photos may hold all of them
            except (_Died, InvalidArgument) as error:
                self._works = False
                _log.warning("the sample can't be cleaned", error=repr(error))
                raise _unavailable() from error
        self._works = True

    async def _take(self) -> _Process:
        while self._idle:
            process = self._idle.pop()  # the one used last: its memory is warm
            if process.alive:
                return process
            await process.end()
        return _Process(self._seconds, self._megabytes)

    async def _put_by(self, process: _Process) -> None:
        """Keeps a process for the next photo, unless there are enough of them."""
        if len(self._idle) < self._count:
            self._idle.append(process)
        else:
            await process.end()

    def _too_slow(self) -> InvalidArgument:
        return InvalidArgument(Reason.PHOTO_TOO_COMPLEX, limit=f"{self._seconds:g} s")


def _unavailable() -> Unavailable:
    return Unavailable(Reason.UNAVAILABLE, peer="decoder", retry_after=1.0)


@asynccontextmanager
async def open_decoder_pool(
    count: int, seconds: float, megabytes: int = MEGABYTES, instruments: Instruments | None = None
) -> AsyncIterator[DecoderPool]:
    """Decoders that end with the block."""
    decoders = DecoderPool(count, seconds, megabytes, instruments)
    await decoders.warm_up()
    try:
        yield decoders
    finally:
        await decoders.close()
