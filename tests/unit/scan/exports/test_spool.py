"""The folder of an export: nobody else's, and gone afterwards, whatever became of its process."""

import os
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from scan_svc.exports.spool import spool

HOLD = """
import sys
from scan_svc.exports.spool import spool
with spool() as folder:
    (folder / "rows").write_text("somebody's")
    print(folder, flush=True)
    sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where folders of these tests are."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return tmp_path


def aged(folder: Path) -> Path:
    """As if it had been made an hour ago."""
    os.utime(folder, (0, 0))
    return folder


def test_it_is_its_owners_alone_and_goes(elsewhere: Path) -> None:
    """With what is in it."""
    with spool() as folder:
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        (folder / "rows").write_text("somebody's")
    assert [*elsewhere.iterdir()] == []


def test_what_a_killed_process_left_goes_with_the_next_export(elsewhere: Path) -> None:
    """What one that is alive uses stays, however old it is; and so does what isn't an export's."""
    command = [sys.executable, "-c", HOLD]
    with (
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as alive,
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as killed,
    ):
        assert alive.stdout
        assert killed.stdout
        used, left = (Path(process.stdout.readline().strip()) for process in (alive, killed) if process.stdout)
        killed.kill()
        killed.wait()
        other, link = elsewhere / "eco2-exporter", elsewhere / "eco2-export-link"
        other.mkdir()
        link.symlink_to(other)
        fresh = Path(tempfile.mkdtemp(prefix="eco2-export-"))
        for folder in (used, left, other):
            aged(folder)
        with spool():
            assert not left.exists()
            assert all(one.exists() for one in (used, other, link, fresh))
        alive.kill()
