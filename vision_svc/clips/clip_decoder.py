"""Processes of the clips' decoder: the service passes a clip, and gets frames.

A process is started for each clip and looks through nothing else, so an idle service has none. If it dies only that
clip is affected.
"""

import asyncio
import sys
from collections.abc import AsyncGenerator, Sequence
from signal import SIGKILL, SIGTERM, SIGXCPU

import msgspec
import structlog

from mesh.concurrency.fair_slots import FairSlots
from mesh.errors import EcoError, InvalidArgument, Unavailable
from mesh.reasons import Reason
from vision_svc.clips.clips import Frame, Seen, too_complex, unreadable
from vision_svc.photos.decoder_process import DecoderProcess, Died
from vision_svc.photos.memfile import MemFile
from vision_svc.photos.photos import Identity

_log = structlog.get_logger("clips")

MEGABYTES = 768
"""Address space of a process, of which 290 MiB are the libraries'. Sixteen pictures of Full HD in 10 bits have 95."""

_COMMAND = (sys.executable, "-m", "vision_svc.clips.decoder")
_TRIES = 2


class _FrameReply(msgspec.Struct):
    """One frame that was written behind the clip, so many bytes of it."""

    size: int
    second: float
    digest: str
    width: int
    height: int


class _SeenReply(msgspec.Struct):
    """How far the process is."""

    second: float
    seconds: float


class _Reply(msgspec.Struct):
    """A message of the process: how far it is, the frames, or why there are none."""

    seen: _SeenReply | None = None
    frames: list[_FrameReply] = []
    reason: Reason | None = None
    metadata: dict[str, str] = {}


class ClipDecoder:
    """The processes.

    Args:
        count: How many clips at once.
        seconds: CPU time one clip may take.
        megabytes: Address space of each.
    """

    def __init__(self, count: int, seconds: float, megabytes: int = MEGABYTES) -> None:
        self._slots = FairSlots(count)
        self._seconds = seconds
        self._megabytes = megabytes

    async def extract(self, file: MemFile, most: int, account: str = "") -> AsyncGenerator[Seen | Sequence[Frame]]:
        """Yields how far the clip was looked through, then its frames.

        Args:
            file: The clip.
            most: How many frames.
            account: The user it is looked through for.

        Raises:
            InvalidArgument: One of the VIDEO_ reasons; see `vision_svc.clips.extraction`.
            Unavailable: Something outside killed the process, twice.
        """
        async with self._slots.slot(account):
            for attempt in range(1, _TRIES + 1):
                process = DecoderProcess(_COMMAND, self._seconds, self._megabytes)
                try:
                    process.ask(b"%d %d" % (len(file), most), file)
                    while (reply := msgspec.json.decode(await process.reply(), type=_Reply)).seen:
                        yield Seen(reply.seen.second, reply.seen.seconds)
                    yield _frames(reply, file)
                    return
                except Died as died:
                    (ended,) = died.args
                    _log.warning("clip decoder died", status=ended, attempt=attempt, clip_bytes=len(file))
                    if ended == -SIGXCPU:
                        raise self._too_slow() from died
                except TimeoutError as error:
                    raise self._too_slow() from error
                finally:
                    await asyncio.shield(process.end())
            raise _blamed(ended)

    def _too_slow(self) -> InvalidArgument:
        return too_complex(f"{self._seconds:g} s")


def _blamed(ended: int) -> EcoError:
    """What a clip is told whose process died twice."""
    if ended in (-SIGKILL, -SIGTERM):
        return Unavailable(Reason.UNAVAILABLE, peer="decoder", retry_after=1.0)
    return unreadable("crashes the decoder")


def _frames(reply: _Reply, file: MemFile) -> Sequence[Frame]:
    if reply.reason:
        raise InvalidArgument.stored(reply.reason, reply.metadata)
    frames, place = [], 0
    for one in reply.frames:
        jpeg = file.read(one.size, place)
        place += one.size
        frames.append(Frame(jpeg, Identity(one.digest, one.width, one.height), one.second))
    return frames
