"""What the documents tell people to paste, pasted: a page's blocks one after the other, in one shell."""

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest
import pytest_asyncio

from tests.e2e.authorization.conftest import HOUSE
from tests.e2e.conftest import Phone
from tests.support.documents import ROOT, Block, blocks, pages
from tests.support.http import http_client
from tests.support.sample_photos import note

RUN = {page: found for page in pages() if (found := [each for each in blocks(page) if each.is_run])}
PLACEHOLDER = re.compile(r"<([a-z_]+)>")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def filled(stack: Mapping[str, str]) -> AsyncIterator[Mapping[str, str]]:
    """What stands for the pages' placeholders: things of the stack's own user."""
    async with http_client(base_url=stack["ECO2_REST_URL"], timeout=20) as http:
        phone = Phone(http, stack["ECO2_TOKEN"])
        scan_id = await phone.started(note())
        await phone.finished(scan_id)
        building = await phone.call("POST", "/v1/buildings", {"building": HOUSE})
        yield {"scan_id": scan_id, "code": building.json()["code"]}


@pytest.fixture
def folder(stack: Mapping[str, str], tmp_path: Path) -> Path:
    """Like the repository's, whose var is the running stack's."""
    (tmp_path / "var").symlink_to(stack["VAR"])
    (tmp_path / "home").mkdir()
    for name in (".venv", "protos", "third_party", "gen"):
        (tmp_path / name).symlink_to(ROOT / name)
    return tmp_path


def line(block: Block, filled: Mapping[str, str], folder: Path) -> str:
    """What the shell is told of a block."""
    code = PLACEHOLDER.sub(lambda found: filled[found[1]], block.code)
    if block.language == "python":
        file = folder / f"block_{block.line}.py"
        file.write_text(code, encoding="utf-8")
        code = f"{sys.executable} {file.name}\n"
    return f"echo '== {block}'\n{code}"


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("page", RUN, ids=lambda page: str(page.relative_to(ROOT)))
async def test_a_page_can_be_pasted(page: Path, filled: Mapping[str, str], folder: Path) -> None:
    """Every block succeeds, with what the blocks before it have left in the shell and in the folder."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ECO2_")}
    shell = await asyncio.create_subprocess_exec(
        *("sh", "-ec", "".join(line(block, filled, folder) for block in RUN[page])),
        cwd=folder,
        env=environment | {"HOME": str(folder / "home"), "PYTHONPATH": str(ROOT / "clients" / "python" / "src")},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await shell.communicate()
    assert shell.returncode == 0, output.decode()
    # curl succeeds whatever it is told.
    assert b"google.rpc.ErrorInfo" not in output, output.decode()


def test_a_page_that_is_wrong_fails(tmp_path: Path) -> None:
    """A placeholder that nothing stands for isn't pasted."""
    block = Block("page.md", 1, "sh", "eco2 watch <nobody>\n", "", "")
    with pytest.raises(KeyError):
        line(block, {}, tmp_path)
