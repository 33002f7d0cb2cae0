"""The rule book while the service runs: one edition at a time, replaced whole.

A request takes `RulebookReloader.current` once and works with that to its end, so it never sees half of two editions.
The folder is checked every few seconds. A change is read, in a thread, once two checks in a row find the same files,
since somebody may still be copying. It becomes current only if all of it is valid. Of a broken edition nothing is used:
the log says which file and why, and the edition before stays.
"""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Self, TypeAlias

import structlog

from mesh.settings import Misconfigured
from rules_svc.answers.composer import Composer
from rules_svc.answers.interpreter import Interpreter
from rules_svc.answers.remarks import RemarkReader
from rules_svc.loading import loader
from rules_svc.rulebook.rulebook import Rulebook
from rules_svc.search.index import ItemIndex
from rules_svc.search.matcher import Matcher

_log = structlog.get_logger("rulebook")

# Name, time of the last change, size of every file.
Fingerprint: TypeAlias = tuple[tuple[str, int, int], ...]


@dataclass(frozen=True, slots=True)
class LoadedRulebook:
    """Everything that follows from the rule book's files.

    Attributes:
        book: Taxonomy, tags and rules.
        composer: Composes answers.
        items: Finds categories by name.
        matcher: Reads what people say: things and their state.
        replies: Interprets what users reply.
        remarks: Works in what users say of a photo.
    """

    book: Rulebook
    composer: Composer
    items: ItemIndex
    matcher: Matcher
    replies: Interpreter
    remarks: RemarkReader

    @classmethod
    def load(cls, data: Traversable = loader.DATA) -> Self:
        """The edition in a folder.

        Raises:
            Exception: A file is missing, can't be read, or contradicts another; its notes name the file if it is one.
        """
        book = loader.load(data)
        questions = loader.load_questions(data)
        composer, items = Composer(questions), ItemIndex.of(book)
        matcher = Matcher.of(book, items)
        replies = Interpreter.of(book, composer, matcher)
        return cls(book, composer, items, matcher, replies, RemarkReader(book, questions, matcher))


@cache
def packaged() -> LoadedRulebook:
    """The edition of the packaged files, which don't change while a process runs: it reads them once, in a second."""
    return LoadedRulebook.load()


class RulebookReloader:
    """Holds the current edition and replaces it.

    Args:
        folder: Where the files are; the packaged ones, which don't change, if None.

    Raises:
        Misconfigured: The first edition can't be loaded: the service can't start without one.

    Attributes:
        current: The edition that requests use now.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        # Taken before the files are read, so that a change during the reading is noticed.
        self._read = self._seen = fingerprint(folder) if folder else ()
        try:
            self.current = LoadedRulebook.load(folder) if folder else packaged()
        except Exception as error:  # whatever is wrong with the files
            raise Misconfigured(f"the rule book in {folder or loader.DATA}: {_told(error)}") from error

    async def follow(self, seconds: float) -> None:
        """Reloads the folder whenever it changes, for ever.

        Args:
            seconds: How often to look.
        """
        while self._folder is not None:
            await asyncio.sleep(seconds)
            await self.look()

    async def look(self) -> None:
        """Checks the folder once, and loads a change that the check before had seen as well."""
        if self._folder is None:
            return
        before, self._seen = self._seen, await asyncio.to_thread(fingerprint, self._folder)
        if self._seen == before != self._read and await self._take_over(self._folder, before):
            self._read = before

    async def _take_over(self, folder: Path, seen: Fingerprint) -> bool:
        """Loads the folder; False if it changed meanwhile and must be read again."""
        try:
            edition = await asyncio.to_thread(LoadedRulebook.load, folder)
        except Exception as error:  # whatever is wrong with the files, the current edition stays
            _log.error("rule book refused", folder=str(folder), error=_told(error), kept=self.current.book.version)
            return True
        if await asyncio.to_thread(fingerprint, folder) != seen:
            return False
        if edition.book.version != self.current.book.version:
            _log.info("rule book replaced", version=edition.book.version, before=self.current.book.version)
            self.current = edition
        return True


def fingerprint(folder: Path) -> Fingerprint:
    """Name, time of change and size of a folder's files."""
    return tuple(sorted(_seen(folder)))


def _seen(folder: Path) -> Iterator[tuple[str, int, int]]:
    for file in (*folder.rglob("*.yaml"), *folder.rglob("*.csv")):
        try:
            status = file.stat()
        except OSError:  # removed meanwhile; the next check notices
            continue
        yield str(file), status.st_mtime_ns, status.st_size


def _told(error: Exception) -> str:
    return " ".join([f"{type(error).__name__}: {error}", *getattr(error, "__notes__", ())])
