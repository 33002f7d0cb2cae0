"""The blocks of code in the documents, and what is said of each: whether it is run, and where."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt

ROOT = Path(__file__).parents[2]
# What somebody may paste and run; anything else is shown.
PROGRAMS = {"sh", "python", "js", "ts", "kotlin", "swift"}
SHOWN = {"text", "json", "yaml", "proto", "markdown", "sql", "diff"}

_MARK = re.compile(r"<!-- (?P<kind>[a-z ]+): (?P<said>.+) -->")


@dataclass(frozen=True, slots=True)
class Block:
    """One block of a page.

    Attributes:
        page: The page, from the root.
        line: Where it begins.
        language: What is named behind the fence; empty without one.
        code: What is in it.
        kind: What the comment right before it says: "not run", "run by"; empty without one.
        said: The reason, or the file of a test.
    """

    page: str
    line: int
    language: str
    code: str
    kind: str
    said: str

    @property
    def is_run(self) -> bool:
        """Whether `tests/e2e/test_documents.py` runs it."""
        return self.language in ("sh", "python") and not self.kind

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def pages() -> list[Path]:
    """Every document that people read."""
    readmes = [*ROOT.glob("[!.]*/README.md"), *ROOT.glob("*_svc/*/README.md")]
    found = {*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *readmes} - {ROOT / "CHANGELOG.md"}
    return sorted(found)


def blocks(page: Path) -> Iterator[Block]:
    """The blocks of a page, in its order."""
    tokens = MarkdownIt("commonmark").parse(page.read_text(encoding="utf-8"))
    for before, token in zip([None, *tokens], tokens, strict=False):
        if token.type not in ("fence", "code_block") or token.map is None:
            continue
        comment = before.content if before and before.map and before.map[1] == token.map[0] else ""
        mark = _MARK.fullmatch(comment.strip())
        yield Block(
            page=str(page.relative_to(ROOT)),
            line=token.map[0] + 1,
            language=token.info.strip(),
            code=token.content,
            kind=mark["kind"] if mark else "",
            said=mark["said"] if mark else "",
        )
