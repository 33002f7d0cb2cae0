"""Twelve seconds of chaos in the whole mesh, judged by what its clients were told. `make chaos WHOLE=1` runs longer.

It runs as a person would run it, in a process of its own: it makes namespaces, which a test run can't do to itself.
"""

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.stack, pytest.mark.slow]

_MINUTES, _SEED = 1 / 5, 7
_ROOT = Path(__file__).parents[3]


def test_no_client_is_told_anything_untrue_whatever_dies() -> None:
    """Processes killed, frozen and restarted, a disk full or stalled, a store emptied or a clock wrong."""
    command = [sys.executable, "-m", "tests.chaos.mesh", str(_MINUTES), str(_SEED)]
    run = subprocess.run(command, cwd=_ROOT, capture_output=True, text=True, check=False)
    print(run.stdout)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "scans accepted" in run.stdout
