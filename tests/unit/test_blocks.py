"""Each block of the documents that can be pasted is run by a test, or says why not."""

from pathlib import Path

import pytest

from tests.support.documents import PROGRAMS, ROOT, SHOWN, Block, blocks, pages


def fault(block: Block) -> str:
    """What is missing at a block; empty if nothing."""
    if block.language not in PROGRAMS | SHOWN:
        return f"names no language of {sorted(PROGRAMS | SHOWN)}"
    if block.language in SHOWN:
        return "has a mark, but nobody pastes it" if block.kind else ""
    if block.kind == "not run":
        return "" if len(block.said.split()) >= 4 else "says no reason"
    if block.kind == "run by":
        return "" if (ROOT / block.said).is_file() else f"{block.said} isn't there"
    if block.kind:
        return f"what is {block.kind!r}?"
    return "" if block.is_run else "no test can run it: say which one does, or why none"


def test_each_block_is_run_or_says_why_not() -> None:
    """Whoever pastes it would find out otherwise."""
    faults = {str(block): fault(block) for page in pages() for block in blocks(page)}
    assert {block: what for block, what in faults.items() if what} == {}


@pytest.mark.parametrize(
    ("text", "faulty"),
    [
        ("```\nls\n```\n", True),
        ("    ls\n", True),
        ("```sh\nls\n```\n", False),
        ("```text\nls\n```\n", False),
        ("```ts\nlet a = 1\n```\n", True),
        ("<!-- not run: it takes an hour -->\n```ts\nlet a = 1\n```\n", False),
        ("<!-- not run: long -->\n```ts\nlet a = 1\n```\n", True),
        ("<!-- run by tests/nowhere.py -->\n```sh\nls\n```\n", False),
        ("<!-- run by: tests/nowhere.py -->\n```sh\nls\n```\n", True),
        ("<!-- run by: tests/unit/test_blocks.py -->\n   ```sh\n   ls\n   ```\n", False),
    ],
)
def test_an_unmarked_block_is_noticed(text: str, faulty: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A comment of another form is none."""
    page = tmp_path / "page.md"
    page.write_text(text, encoding="utf-8")
    monkeypatch.setattr("tests.support.documents.ROOT", tmp_path)

    (block,) = blocks(page)
    assert bool(fault(block)) == faulty
    assert block.code.strip() in ("ls", "let a = 1")
