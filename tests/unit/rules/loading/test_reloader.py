"""The rule book replaced while it is read: whole, or not at all."""

import os
import shutil
from pathlib import Path

import pytest
import structlog

from rules_svc.loading.loader import DATA
from rules_svc.loading.reloader import LoadedRulebook, RulebookReloader

NEWSPAPER = ("재활용폐기물", "종이", "신문지")


async def looked_twice(editions: RulebookReloader) -> LoadedRulebook:
    """The edition after two looks: the second one takes over what the first one saw."""
    await editions.look()
    await editions.look()
    return editions.current


def replace_in(file: Path, old: str, new: str) -> None:
    """Writes as a careful editor does: a new file beside the old one, then in its place."""
    text = file.read_text("utf-8")
    assert old in text
    beside = file.with_suffix(".tmp")
    beside.write_text(text.replace(old, new, 1), "utf-8")
    os.replace(beside, file)  # noqa: PTH105


async def test_a_change_becomes_the_current_edition_as_a_whole(folder: Path) -> None:
    """Rules, names and search change together, and so does the version."""
    editions = RulebookReloader(folder)
    before = editions.current
    replace_in(folder / "taxonomy" / "01_paper.yaml", "ko: 신문지,", "ko: 종이신문,")
    after = await looked_twice(editions)
    assert after.book.version != before.book.version
    assert after.book.taxonomy[NEWSPAPER].name.ko == "종이신문"
    assert after.items.search("종이신문", 1)[0].score == 1.0
    # Who took the edition before the change works with it to the end.
    assert before.book.taxonomy[NEWSPAPER].name.ko == "신문지"


async def test_what_is_still_being_copied_is_left_alone(folder: Path) -> None:
    """Two files that belong together are rarely written at the same instant."""
    editions = RulebookReloader(folder)
    before = editions.current
    for name in ("종이신문", "신문", "옛 신문"):
        text = (folder / "taxonomy" / "01_paper.yaml").read_text("utf-8")
        (folder / "taxonomy" / "01_paper.yaml").write_text(text.replace("ko: 신문지,", f"ko: {name}지,"), "utf-8")
        await editions.look()
        assert editions.current is before
    await editions.look()
    assert editions.current is not before


@pytest.mark.parametrize(
    ("file", "old", "new", "named"),
    [
        pytest.param(
            "taxonomy/00_recyclables.yaml", "- key: 재활용", "- key: [재활용", "00_recyclables.yaml", id="not YAML"
        ),
        pytest.param(
            "taxonomy/00_recyclables.yaml", "- key: 재활용", "- kye: 재활용", "00_recyclables.yaml", id="a wrong field"
        ),
        pytest.param("rules/01_paper.yaml", "재활용폐기물/종이", "재활용폐기물/석재", "석재", id="no such category"),
        pytest.param(
            "taxonomy/01_paper.yaml", "below: 재활용폐기물", "below: 재활용", "no earlier", id="below nothing"
        ),
    ],
)
async def test_a_broken_edition_is_refused_and_the_good_one_stays(
    folder: Path, file: str, old: str, new: str, named: str
) -> None:
    """The log says why, once; mending the file is enough, nobody restarts anything."""
    editions = RulebookReloader(folder)
    before = editions.current
    replace_in(folder / file, old, new)
    with structlog.testing.capture_logs() as log:
        assert await looked_twice(editions) is before
        assert await looked_twice(editions) is before
    (entry,) = log
    assert (entry["log_level"], entry["kept"]) == ("error", before.book.version)
    assert named in entry["error"]
    replace_in(folder / file, new, old)
    replace_in(folder / "taxonomy" / "01_paper.yaml", "ko: 신문지,", "ko: 종이신문,")
    assert await looked_twice(editions) is not before


async def test_a_missing_file_is_refused(folder: Path) -> None:
    """A folder that is half mounted has rules for categories it doesn't know."""
    editions = RulebookReloader(folder)
    before = editions.current
    (folder / "taxonomy" / "01_paper.yaml").unlink()
    assert await looked_twice(editions) is before


async def test_the_packaged_book_is_not_looked_at(tmp_path: Path) -> None:
    """It changes with a release only; following it ends at once."""
    shutil.copytree(str(DATA), tmp_path / "book")
    editions = RulebookReloader()
    await editions.follow(0.0)
    await editions.look()
    assert editions.current.book.version == RulebookReloader(tmp_path / "book").current.book.version
