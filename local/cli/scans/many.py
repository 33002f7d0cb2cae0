"""Many photos at once: a few at a time, and one that fails stops no other."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from threading import Thread

from eco2.scan.v1 import scan_pb2
from local.cli.scans.sources import Source


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a photo.

    Attributes:
        source: The photo.
        scan: Its scan in a terminal state; None if there is none.
        error: Why there is none.
    """

    source: Source
    scan: scan_pb2.Scan | None = None
    error: Exception | None = None


def outcomes(sources: Sequence[Source], scan: Callable[[Source], scan_pb2.Scan], at_once: int) -> Iterator[Outcome]:
    """Scans photos, in their order as far as that goes.

    Args:
        sources: The photos.
        scan: Scans one, in a thread.
        at_once: How many are under way at a time.

    Yields:
        What became of each, as it ends.
    """
    waiting, ended = SimpleQueue[Source](), SimpleQueue[Outcome]()
    for source in sources:
        waiting.put(source)

    def work() -> None:
        with suppress(Empty):
            while True:
                ended.put(_outcome(waiting.get_nowait(), scan))

    # Daemons: at Ctrl-C nobody waits for what they read.
    threads = [Thread(target=work, daemon=True) for _ in range(min(at_once, len(sources)))]
    for thread in threads:
        thread.start()
    for _ in sources:
        yield ended.get()


def _outcome(source: Source, scan: Callable[[Source], scan_pb2.Scan]) -> Outcome:
    try:
        return Outcome(source, scan=scan(source))
    except Exception as error:
        return Outcome(source, error=error)
