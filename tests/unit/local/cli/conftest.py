"""The command in this process, with an edge that answers as told."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.cli import main as cli
from tests.support.cli.command import Ended, Run
from tests.support.cli.fake_edge import FakeEdge, running
from tests.support.cli.replies import Scans, everything


@pytest.fixture(scope="module")
def _listening() -> Iterator[FakeEdge]:
    with running() as edge:
        yield edge


@pytest.fixture
def edge(_listening: FakeEdge) -> FakeEdge:
    """An edge that knows nothing yet."""
    _listening.answers.clear()
    _listening.requests.clear()
    return _listening


@pytest.fixture
def scans(edge: FakeEdge) -> Scans:
    """Has the edge answer everything."""
    return everything(edge)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command in an empty folder, with these variables and no others of ours."""
    for name in [name for name in os.environ if name.startswith(("ECO2_", "XDG_"))]:
        monkeypatch.delenv(name)
    for name, value in {"HOME": str(tmp_path), "VAR": str(tmp_path / "var"), "LC_ALL": "en_US.UTF-8"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)

    def run(*command: str, **variables: str) -> Ended:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(sys, "argv", ["eco2", *command])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        assert isinstance(ended.value.code, int)
        return Ended(ended.value.code, *capsys.readouterr())

    return run


@pytest.fixture
def eco2(run: Run, edge: FakeEdge) -> Run:
    """Runs a command as a signed-in user of the edge."""
    return lambda *command, **variables: run(
        *command, **{"ECO2_REST_URL": edge.url, "ECO2_TOKEN": "token", **variables}
    )
