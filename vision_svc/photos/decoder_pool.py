"""Processes of the decoder: the service passes a photo and gets a clean copy.

A process cleans one photo at a time. It is started when all others are busy, and killed when a photo takes too long; if
it dies only that photo is affected. Users share the processes by the time their photos take;
photos that nobody waits for have at most half of them.

The service is ready once a process has cleaned a photo of our own: an installation that the service finds may be out of
reach for a process with a bare environment.
"""

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from signal import SIGKILL, SIGTERM, SIGXCPU

import msgspec
import structlog

from mesh.concurrency.fair_slots import FairSlots
from mesh.concurrency.tasks import end
from mesh.errors import InvalidArgument, Unavailable
from mesh.observability.instruments import Instruments
from mesh.reasons import Reason
from vision_svc.metrics import DecoderMeters
from vision_svc.photos.bulkhead import reserve
from vision_svc.photos.decoder_process import DecoderProcess, Died
from vision_svc.photos.memfile import MemFile, memfile
from vision_svc.photos.photos import Identity, Photo
from vision_svc.photos.sample import SAMPLE

_log = structlog.get_logger("decoding")

MEGABYTES = 768
"""Address space of a decoder: what `formats.picture.DECODED_BYTES` leaves is for the libraries and the file."""

_COMMAND = (sys.executable, "-m", "vision_svc.photos.decoder")
_TRIES = 2
# After which a user who has no photo at work needn't wait for those of others: several times what a usual photo takes,
# so that there are more processes than cores only while photos are slow.
_PATIENCE_WITH_OTHERS = 0.5


class _DecoderReply(msgspec.Struct):
    """The process' reply: a clean photo, or a reason."""

    size: int = 0
    digest: str = ""
    width: int = 0
    height: int = 0
    reason: Reason | None = None
    metadata: dict[str, str] = {}


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
        self._idle: list[DecoderProcess] = []
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

    async def clean(self, file: MemFile, account: str = "", *, batch: bool = False) -> Photo:
        """The photo in a file, cleaned.

        Args:
            file: The photo.
            account: The user it is cleaned for; "" for nobody in particular.
            batch: Whether it gives way to photos that somebody waits for.

        Raises:
            InvalidArgument: PHOTO_EMPTY, PHOTO_TOO_LARGE, PHOTO_FORMAT, PHOTO_UNREADABLE, PHOTO_TRUNCATED or
                PHOTO_TOO_COMPLEX.
            Unavailable: Something outside killed the decoder, twice; or no photo can be cleaned, not even ours.
        """
        answer = await self._made(file, account, batch=batch)
        return Photo(file.read(answer.size), Identity(answer.digest, answer.width, answer.height))

    async def thumbnail(self, file: MemFile, side: int, account: str = "") -> bytes:
        """A small JPEG of the clean copy in a file, as batch work; raises as `clean` does.

        Args:
            file: The copy.
            side: Pixels of the longer side, at most.
            account: The user it is made for; "" for nobody in particular.
        """
        return file.read((await self._made(file, account, side, batch=True)).size)

    async def _made(self, file: MemFile, account: str, side: int = 0, *, batch: bool) -> _DecoderReply:
        """What a process has written behind a photo."""
        async with self._slots.slot(account, batch=batch):
            for attempt in range(1, _TRIES + 1):
                try:
                    return await self._try(file, side)
                except Died as died:
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
        self._idle.append(DecoderProcess(_COMMAND, self._seconds, self._megabytes))

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
            process.ask(b"%d %d" % (len(file), side), file)
            answer = msgspec.json.decode(await process.reply(), type=_DecoderReply)
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
            except (Died, InvalidArgument) as error:
                self._works = False
                _log.warning("the sample can't be cleaned", error=repr(error))
                raise _unavailable() from error
        self._works = True

    async def _take(self) -> DecoderProcess:
        while self._idle:
            process = self._idle.pop()  # the one used last: its memory is warm
            if process.alive:
                return process
            await process.end()
        return DecoderProcess(_COMMAND, self._seconds, self._megabytes)

    async def _put_by(self, process: DecoderProcess) -> None:
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
