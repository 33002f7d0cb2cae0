"""What `make` does with what it finds in the environment, and what it says of itself."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HELP = re.compile(r"  make (\S+)( +)\S.*")


def make(*words: str, **environment: str) -> str:
    """What `make` prints."""
    done = run(*words, **environment)
    done.check_returncode()
    return done.stdout


def run(*words: str, cwd: Path = ROOT, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs `make`. The options of a `make test` that this runs in stay out."""
    outside = ("MAKE", "MFLAGS", "PYTEST", "ECO2_")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(outside)}
    return subprocess.run(["make", *words], cwd=cwd, env={**inherited, **environment}, capture_output=True, text=True)


@pytest.mark.parametrize("target", ["clean", "check", "gen", "lock"])
def test_nothing_of_another_project_is_removed(target: str) -> None:
    """VAR is a name that anybody exports; what it leads to may be their data."""
    assert "/data" not in make("--dry-run", target, VAR="/data")


def test_clean_removes_whatever_make_brought() -> None:
    """Of what .gitignore lists the offline model stays, which takes set-up to make and is checked by digest.

    And what the README's commands leave at the root, which may be somebody's own.
    """
    ignored = {line.rstrip("/") for line in (ROOT / ".gitignore").read_text("utf-8").splitlines() if line[0] != "#"}
    (removed,) = (line.split() for line in make("--dry-run", "clean").splitlines() if line.startswith("rm -rf"))

    left = {line for line in ignored - set(removed) if not line.startswith("/")}
    assert left == {"__pycache__", "*.egg-info", "vision_svc/model/*.onnx"}


@pytest.mark.parametrize("name", ["VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME", "PYTHONDONTWRITEBYTECODE"])
def test_settings_of_another_environment_stay_out(name: str) -> None:
    """Those of the image, too: without bytecode on disk every process of the tests compiles all that it imports."""
    inherited = {"PATH": os.environ["PATH"], name: "1"}
    command = ["make", "--file=Makefile", "--file=-", "seen"]
    seen = subprocess.run(
        command, cwd=ROOT, env=inherited, input="seen: ; @env\n", capture_output=True, text=True, check=True
    )
    assert name not in seen.stdout
    assert "PATH=" in seen.stdout


def test_help_lists_every_target_in_columns() -> None:
    """The first thing a newcomer reads."""
    lines = [found for line in make().splitlines() if (found := HELP.fullmatch(line))]
    named = [found[1] for found in lines]
    (phony,) = re.findall(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)

    assert sorted(named) == sorted(phony.split())
    assert len({found.start(2) + len(found[2]) for found in lines}) == 1


FLAKY = """
import pathlib, pytest

@pytest.mark.parametrize("number", range({count}))
def test_flaky(number):
    marker = pathlib.Path(str(number))
    ran_before = marker.exists()
    marker.touch()
    assert ran_before
"""


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A repository with this Makefile, set up already, whose tests are to be written."""
    python = tmp_path / ".venv/bin/python"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)
    (tmp_path / "Makefile").symlink_to(ROOT / "Makefile")
    for needed in re.findall(r"^\$\(VENV\)/.*?: (.*)$", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE):
        for name in needed.replace("$(VENV)", ".venv").split():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).touch()
    for stamp in (".local", ".dev"):
        (tmp_path / ".venv" / stamp).touch()
    return tmp_path


def make_test(house: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Runs `make test` there, without the plugins that take seconds to import."""
    plugins = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_ADDOPTS": "-p xdist.plugin"}
    return run("test", *words, cwd=house, **plugins)


def test_few_failures_get_a_second_run_that_is_told(house: Path) -> None:
    """One flaky stack, or a test of thousands, mustn't cost the whole run, nor stay hidden."""
    (house / "test_it.py").write_text(FLAKY.format(count=12) + "def test_sound(): pass")
    done = make_test(house)
    assert done.returncode == 0
    _, second = done.stdout.split("Failed: 12 in 1 files.")
    assert "PASSED test_it.py::test_flaky[0]" in second
    assert "ONLY THE SECOND TIME" in second
    assert "test_sound" not in second


@pytest.mark.parametrize(
    ("tests", "words"),
    [
        (FLAKY.format(count=1) + "def test_stops(): raise KeyboardInterrupt", []),
        (FLAKY.format(count=1), ["ARGS=--exitfirst"]),
    ],
    ids=["interrupted", "chosen"],
)
def test_nothing_else_gets_a_second_run(house: Path, tests: str, words: list[str]) -> None:
    """What broke before the tests ran isn't a matter of chance."""
    (house / "test_it.py").write_text(tests)
    done = make_test(house, *words)
    assert done.returncode != 0
    assert "SECOND TIME" not in done.stdout


def test_what_fails_twice_fails_the_run(house: Path) -> None:
    (house / "test_it.py").write_text(FLAKY.format(count=1) + "def test_broken(): assert False")
    done = make_test(house)
    assert done.returncode != 0
    assert "Failed: 2 in 1 files." in done.stdout
    assert "SECOND TIME" not in done.stdout


def test_what_fails_in_many_files_isnt_run_again(house: Path) -> None:
    """What broke for many isn't a matter of chance."""
    for name in ("test_a", "test_b", "test_c", "test_d"):
        (house / f"{name}.py").write_text(FLAKY.format(count=1).replace("str(number)", f"'{name}'"))
    done = make_test(house)
    assert done.returncode != 0
    assert "SECOND TIME" not in done.stdout
