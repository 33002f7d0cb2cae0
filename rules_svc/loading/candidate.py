"""A second rule book beside the one that users are answered from, for operators' comparisons.

It is read from its own folder once the service runs, and again whenever that changes, as the first one is. A folder
that can't be used is no fault of the service's: the log says why, and comparisons are told that there is none.
An edition of the size that ships takes 27 MiB, and 1.6 s of one core to read.
"""

import asyncio
from pathlib import Path

import structlog

from mesh.errors import FailedPrecondition
from mesh.process import memory
from mesh.reasons import Reason
from mesh.settings import Misconfigured
from rules_svc.loading.reloader import Fingerprint, LoadedRulebook, RulebookReloader, fingerprint

_log = structlog.get_logger("rulebook")

CURRENT, CANDIDATE = "current", "candidate"


class CandidateRulebook:
    """The candidate, if a folder has one.

    Args:
        folder: Where its files are; None if there is to be none.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._seen: Fingerprint = ()
        self._reloader: RulebookReloader | None = None

    @property
    def current(self) -> LoadedRulebook | None:
        """Its edition as it is now; None if there is none that can be used."""
        return self._reloader.current if self._reloader else None

    async def follow(self, seconds: float) -> None:
        """Reads the folder, and reads it again when it changes, for ever.

        Args:
            seconds: How often to look.
        """
        while self._folder is not None:
            await self.look()
            await asyncio.sleep(seconds)

    async def look(self) -> None:
        """Checks the folder once: for its first edition that can be used, or for a change."""
        if self._reloader:
            await self._reloader.look()
        elif self._folder and (files := await asyncio.to_thread(fingerprint, self._folder)) != self._seen:
            self._seen = files
            await self._read(self._folder)

    async def _read(self, folder: Path) -> None:
        try:
            self._reloader = await asyncio.to_thread(RulebookReloader, folder)
        except Misconfigured as error:
            _log.error("candidate rule book refused", error=str(error))
            return
        memory.give_back()
        _log.info("candidate rule book loaded", version=self._reloader.current.book.version)


class Rulebooks:
    """The editions that can be asked for by name or version.

    Args:
        reloader: Has the one that users are answered from.
        candidate: Has the other one.
    """

    def __init__(self, reloader: RulebookReloader, candidate: CandidateRulebook) -> None:
        self._reloader = reloader
        self._candidate = candidate

    def loaded(self) -> dict[str, LoadedRulebook]:
        """What there is, by name."""
        candidate = self._candidate.current
        return {CURRENT: self._reloader.current, **({CANDIDATE: candidate} if candidate else {})}

    def find(self, version: str) -> LoadedRulebook:
        """The edition of this version.

        Raises:
            FailedPrecondition: RULEBOOK_UNKNOWN: it isn't loaded, or not any more.
        """
        for edition in self.loaded().values():
            if edition.book.version == version:
                return edition
        raise FailedPrecondition(Reason.RULEBOOK_UNKNOWN, rulebook=version)
