"""What `make` does with what it finds in the environment, and what it says of itself."""

import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HELP = re.compile(r"  make (\S+)( +)\S.*")


def make(*words: str, **environment: str) -> str:
    """What `make` prints. The options of a `make test` that this runs in stay out."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    done = subprocess.run(
        ["make", *words], cwd=ROOT, env={**inherited, **environment}, capture_output=True, text=True, check=True
    )
    return done.stdout


@pytest.mark.parametrize("target", ["clean", "check", "gen", "lock"])
def test_nothing_of_another_project_is_removed(target: str) -> None:
    """VAR is a name that anybody exports; what it leads to may be their data."""
    assert "/data" not in make("--dry-run", target, VAR="/data")


def test_clean_removes_whatever_make_brought() -> None:
    """Of what .gitignore lists only the offline model stays: it takes set-up to make it, and is checked by digest."""
    ignored = {line.rstrip("/") for line in (ROOT / ".gitignore").read_text("utf-8").splitlines() if line[0] != "#"}
    (removed,) = (line.split() for line in make("--dry-run", "clean").splitlines() if line.startswith("rm -rf"))

    assert ignored - set(removed) == {"__pycache__", "*.egg-info", "vision_svc/model/*.onnx"}


def test_help_lists_every_target_in_columns() -> None:
    """The first thing a newcomer reads."""
    lines = [found for line in make().splitlines() if (found := HELP.fullmatch(line))]
    named = [found[1] for found in lines]
    (phony,) = re.findall(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)

    assert sorted(named) == sorted(phony.split())
    assert len({found.start(2) + len(found[2]) for found in lines}) == 1
