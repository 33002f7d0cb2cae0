"""Programs from Debian's archive, where there is no way to get them."""

from pathlib import Path

import pytest

from local import debian
from local.errors import CannotStart


def test_without_apt_it_says_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on macOS, or in an image without dpkg."""
    monkeypatch.setattr(debian, "_TOOLS", tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CannotStart, match=r"pgbouncer .* apt-get and dpkg-deb isn't here: this takes Debian"):
        debian.unpacked("pgbouncer")


def test_what_is_there_takes_no_apt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor a network."""
    monkeypatch.setattr(debian, "_TOOLS", tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    folder = tmp_path / f"debian-{debian._release()}-pgbouncer+prometheus"
    folder.mkdir()
    assert debian.unpacked("prometheus", "pgbouncer") == folder
